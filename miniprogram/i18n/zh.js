/** Every visible text, Chinese. */
module.exports = {
  chat: '云聊', newChat: '新对话', conversations: '对话', settings: '设置', about: '关于', send: '发送', stop: '停止', cancel: '取消', ok: '确定',
  placeholder: '说点什么…', waking: '正在唤醒服务…', offline: '网络不可用，消息会在恢复后自动发送', reconnecting: '正在重新连接…',
  limited: '发送太快了，{n} 秒后自动发送', queued: '排队中，第 {n} 位', thinking: '正在思考…', thought: '思考了 {n}', reasoning: '思考过程',
  newText: '有新内容', copy: '复制', copied: '已复制', copyCode: '复制代码', edit: '编辑并重发', editing: '正在编辑，发送后将替换原消息', regenerate: '重新生成',
  continue: '继续', retry: '重试', remove: '移除', up: '有帮助', down: '没帮助', report: '举报', thanks: '感谢反馈', reported: '已收到举报',
  sending: '发送中', waitingNet: '等待网络', failed: '未发送', blocked: '未通过检查', stopped: '已停止', length: '回答较长，尚未说完',
  requestId: '请求编号 {id}（点按复制）', loadOlder: '加载更早的消息', loading: '加载中…', welcome: '你好，有什么可以帮你？', menu: '更多操作',
  linkTitle: '链接地址', copyLink: '复制链接',
  why: '哪里不好？', whyList: ['不准确', '没有帮助', '太长或太短', '语气不好'], reportWhy: '举报原因', reportList: ['违法违规', '色情低俗', '侵犯隐私', '虚假信息', '其他'],
  search: '搜索对话', emptyList: '还没有对话', emptySearch: '没有找到', rename: '重命名', delete: '删除', deleted: '已删除“{title}”', undo: '撤销', untitled: '新对话', live: '回答中',
  model: '模型', defaultModel: '默认', textSize: '字号', sizes: { small: '小', normal: '标准', large: '大', huge: '特大' },
  theme: '外观', themes: { system: '跟随系统', light: '浅色', dark: '深色' }, language: '语言 Language', languages: { system: '跟随系统', zh: '中文', en: 'English' },
  motion: '减少动态效果', privacyData: '隐私与数据', clearCache: '清除本地缓存', cleared: '已清除', eraseAll: '删除我的全部数据',
  eraseAsk: '所有对话将被永久删除，无法恢复。确定继续吗？', eraseAgain: '最后确认：真的要永久删除全部数据吗？', eraseYes: '永久删除', erased: '已全部删除', eraseFailed: '没有删除成功，请稍后重试',
  provider: '服务提供者', filing: '算法备案', contact: '联系方式', agreement: '用户协议', privacy: '隐私说明', none: '未填写', version: '版本',
  consentTitle: '欢迎使用', consentText: '回答由人工智能（AI）生成，可能有误。使用前请阅读：', agree: '同意并开始使用', overseas: '允许使用境外模型处理（可选）', disagree: '不同意则无法使用对话功能',
  consentFailed: '没有保存成功，请重试', expand: '展开', collapse: '收起',
  'error.offline': '网络不可用', 'error.timeout': '等待超时，请重试', 'error.waking': '服务正在唤醒', 'error.unknown': '出了点问题，请稍后重试', 'error.network': '网络不稳定，请重试',
  'error.config': '小程序没有配置好，请联系管理员', 'error.version': '服务正在更新，请稍后', 'error.bad_answer': '服务的回应无法识别', 'error.arrears': '服务暂不可用，请联系管理员',
  'error.quota': '使用的人太多，请稍后', 'error.no_permission': '这里无法使用，请打开完整小程序', 'error.too_large': '内容太长'
};
