// Every visible word, Chinese first.

const KEY = 'yunliao.console.language'

const zh = {
  title: '云聊运营台', signIn: '登录', signInHint: '运营账号由所有者在终端创建：python3 -m yunliao operators add 名称 --role owner', again: '请重新登录', againText: '登录已过期。登录后接着刚才的操作，已填写的内容都在。',
  name: '账号名', password: '密码', signOut: '退出登录', otherAccount: '换一个账号', language: 'English', theme: '主题', 'themes.system': '跟随系统', 'themes.light': '浅色', 'themes.dark': '深色',
  cancel: '取消', close: '关闭', undo: '撤销', undone: '已撤销', retry: '重试', loading: '正在加载…', more: '加载更多', older: '更早的消息', refresh: '刷新', network: '连不上服务，请检查网络后重试。', requestId: '请求编号',
  menu: '菜单', skip: '跳到内容', account: '账号', 'role.viewer': '只读', 'role.operator': '运营', 'role.owner': '所有者', 'role.user': '用户', 'role.assistant': '回答',
  'tabs.overview': '概览', 'tabs.users': '用户', 'tabs.cases': '审核队列', 'tabs.lists': '词表', 'tabs.relays': '上游', 'tabs.models': '模型与价格', 'tabs.settings': '设置', 'tabs.audit': '审计日志',
  newPassword: '新密码', oldPassword: '现在的密码', changePassword: '修改密码', passwordHint: '12 个字符以上，至少 6 种不同字符。修改后所有会话都会结束。', passwordDone: '密码已修改，请用新密码登录',
  bindCode: '绑定小程序', bindText: '在小程序「设置」的「关于」里连按版本号五次，输入这个代码。只能用一次，10 分钟内有效：', bindDone: '知道了',
  hours: '24 小时', days: '30 天', overTime: '走势', asTable: '以表格查看', turns: '对话轮', cost: '成本（额度）', firstTextP90: '首字时间 P90', time: '时间', asOf: '数据截至', refreshes: '页面可见时每 5 秒刷新',
  'ends.completed': '完成', 'ends.stopped': '用户停止', 'ends.blocked': '拦截', 'ends.failed': '失败',
  liveAnswers: '正在回答', queued: '排队', instances: '实例', turnsToday: '今日对话轮', thisHour: '本小时', success: '今日成功率', costToday: '今日成本（额度）', ofDayLimit: '占每日上限',
  speedToday: '今日速度', firstText: '首字', wholeAnswer: '整个回答', inQueue: '排队', errorsToday: '今日错误', noErrors: '今天没有错误', relaysToday: '今日上游', failedOf: '失败', noneYet: '今天还没有请求', otherToday: '今日其他', checks: '内容检查', coldStarts: '冷启动', takeovers: '接手的回答', storeFailures: '存储写入失败',
  'breaker.closed': '正常', 'breaker.half-open': '试探中', 'breaker.open': '熔断',
  findHint: '用户不会被列出：按小程序「关于」页显示的编号（前 8 位以上）或 openid 查找。', findBy: '查找方式', byNumber: '用户编号', byOpenid: 'openid', findValue: '编号或 openid', appid: 'appid', appidHint: '只有一个小程序时可留空', find: '查找', noUser: '没有这个用户，请核对后再查。', findAnother: '查找其他用户',
  user: '用户', userId: '用户编号', since: '注册时间', consent: '同意协议', noConsent: '未同意', overseasToo: '含境外处理', standing: '状态', suspended: '已暂停使用', cooling: '暂停发送', inOrder: '正常', untilLifted: '直到恢复', reason: '理由', reasonHint: '4 到 500 字，写入审计日志', suspend: '暂停使用', lift: '恢复使用',
  suspendTitle: '暂停这个用户？', suspendText: '本实例立即生效，其他实例 10 秒内。用户会看到已被暂停。', days_: '天数', daysHint: '留空：直到恢复', suspendDone: '已暂停这个用户', undoReason: '运营台撤销', liftTitle: '恢复这个用户？', liftDone: '已恢复',
  credits: '额度', plan: '套餐', available: '可用', held: '预留中', 'move.grant': '发放', 'move.withdraw': '收回', 'move.refund': '退还一轮', 'moveText.grant': '用户会在额度明细里看到。', 'moveText.withdraw': '只能收回还没用掉的额度，用户会在明细里看到。', 'moveText.refund': '退还某一轮的费用，每轮只退一次。',
  amount: '数量（额度）', amountHint: '例如 1.5，最多 6 位小数', amountRefund: '留空：全部退还', reasonSeen: '用户看得到，最多 80 字', turnId: '对话轮', reference: '编号', referenceHint: '同一编号只做一次', validDays: '有效天数', validHint: '0：长期有效', tooMuch: '超过可收回的数量，当前可用', moveDone: '已处理：', moveExisting: '同一编号之前已经处理过，没有重复', 
  verdicts: '判定记录', noVerdicts: '没有未通过的判定', 'suggest.review': '待复核', 'suggest.risky': '违规', 'suggest.none': '无结论', 'place.question': '提问', 'place.answer': '回答',
  words: '用户的文字', readHint: '阅读用户的文字会先写入审计日志，写不进就不会打开。', readConversations: '写明理由并阅读会话', readMessage: '写明理由并阅读这条消息', readComplaint: '写明理由并阅读投诉', untitled: '（无标题）', noConversations: '没有会话', conversations: '会话', noMessages: '没有消息', 'state.blocked': '已拦截', 'state.pending': '未完成', reasoning: '思考过程', feedback: '用户评价',
  'case.open': '待处理', 'case.looked': '已查看', 'case.decided': '已裁定', 'case.all': '全部', state: '状态', noCases: '没有案件', enterCase: '登记投诉', enterText: '登记从信件、电话或主管部门收到的投诉。', enter: '登记', note: '备注', optional: '可以不填', waits: '已等待',
  'kind.review': '复核', 'kind.report': '举报', 'kind.complaint': '投诉', 'reported.unlawful': '违法违规', 'reported.sexual': '色情低俗', 'reported.privacy': '侵犯隐私', 'reported.false': '不实信息', 'reported.other': '其他',
  caseId: '案件编号', openedAt: '提出时间', layer: '判定层与标签', lookedAt: '首次查看', decidedAt: '裁定', look: '标记为已查看', decide: '裁定', decideText: '裁定只能做一次，不能撤销。', decisionName: '结论', decided: '已裁定', 'decision.upheld': '成立', 'decision.rejected': '不成立', 'decision.suspended': '暂停用户', 'decision.noted': '已记录',
  listsHint: '运营词表加在内置词表与 YUNLIAO_WORDS_FILE 之上。版本不可修改；启用后所有实例几秒内生效。', versions: '版本', version: '版本', newVersion: '新建版本', newVersionText: '从正在使用的版本开始修改，保存后立即启用。', putInForce: '保存并启用', wordsField: '词，一行一个', wordsHint: '最多 20,000 个；更长的用终端：python3 -m yunliao words add 文件', listTooLong: '超过 100 KB，请用终端上传。', nowInForce: '已启用', use: '启用版本', useNone: '停用词表', useText: '所有实例几秒内生效。', noneInForce: '运营词表已停用', noLists: '还没有版本', wordsCount: '个词', inForce: '使用中', showWords: '查看', notHereYet: '答复你的实例还没换上新版本，几秒内会换上。',
  tryList: '试一段文字', theOneInForce: '使用中的版本', tryText: '文字', try: '试一试', wouldBlock: '会被拦截', wouldPass: '不会命中',
  relaysHint: '熔断状态与最近失败是答复你的那个实例所见；开关对所有实例几秒内生效。', instance: '实例', stranded: '这些模型现在没有上游可用：', switchedOff: '已关闭', switchedOn: '开启', host: '地址', breakerName: '熔断器', elsewhere: '其他实例', answering: '正在回答', today: '今日请求', modelsName: '模型', priority: '优先级', weight: '权重', domestic: '境内', overseas: '境外', offSince: '关闭于', recent: '最近失败', noFailures: '没有', switchOff: '关闭', switchOn: '开启', switchOffText: '不再向它请求回答；正在进行的回答会继续。没有其他上游的模型会无法回答。内容检查（moderation）不受影响。', isOff: '已关闭', isOn: '已开启', test: '测试', testing: '正在用一次真实的小请求测试…', works: '正常', fails: '失败',
  defaultModel: '默认', modelId: '模型', price: '价格（额度 / 百万 token）', free: '免费', 'whats.input': '输入', 'whats.cached': '缓存输入', 'whats.output': '输出', 'whats.reasoning': '思考', 'whats.image': '每张图片', priceTable: '价格表', noPrices: '没有价格表：一切免费。', day: '天', 'limits.turn': '每轮上限', 'limits.user_day': '每人每天上限', 'limits.service_day': '全服务每天上限', noLimit: '不限', pricesWhere: '价格在 YUNLIAO_PRICES 里修改；已受理的问题按受理时的价格计算。',
  settingsHint: '只读，密钥不会显示。修改：', filter: '筛选', noSetting: '没有符合的设置', set: '已设置', notSet: '未设置', empty: '空', byDefault: '默认',
  ownersOnly: '只有所有者可以看审计日志。', actor: '谁', action: '做了什么', actionHint: '开头几个字母即可，例如 user.', subject: '对象', verify: '校验完整性', intact: '完整，条数', broken: '不完整：', noEntries: '没有符合的记录',
  nothingHere: '没有这个页面',
}

const en = {
  title: 'Yunliao console', signIn: 'Sign in', signInHint: 'An owner makes accounts at a terminal: python3 -m yunliao operators add NAME --role owner', again: 'Sign in again', againText: 'Your session is over. After signing in, what you were doing goes on; nothing you typed is lost.',
  name: 'Account', password: 'Password', signOut: 'Sign out', otherAccount: 'Another account', language: '中文', theme: 'Theme', 'themes.system': 'System', 'themes.light': 'Light', 'themes.dark': 'Dark',
  cancel: 'Cancel', close: 'Close', undo: 'Undo', undone: 'Undone', retry: 'Try again', loading: 'Loading…', more: 'Load more', older: 'Older messages', refresh: 'Refresh', network: 'The service cannot be reached. Check the network and try again.', requestId: 'request',
  menu: 'Menu', skip: 'Skip to content', account: 'Account', 'role.viewer': 'viewer', 'role.operator': 'operator', 'role.owner': 'owner', 'role.user': 'User', 'role.assistant': 'Answer',
  'tabs.overview': 'Overview', 'tabs.users': 'Users', 'tabs.cases': 'Review queue', 'tabs.lists': 'Word lists', 'tabs.relays': 'Relays', 'tabs.models': 'Models, prices', 'tabs.settings': 'Settings', 'tabs.audit': 'Audit log',
  newPassword: 'New password', oldPassword: 'Present password', changePassword: 'Change password', passwordHint: '12 characters or more, six different ones. Ends all sessions.', passwordDone: 'Password changed: sign in with the new one',
  bindCode: 'Bind the mini-program', bindText: 'In the mini-program: Settings, About, tap the version five times, and type this code. Good once, for 10 minutes:', bindDone: 'Done',
  hours: '24 hours', days: '30 days', overTime: 'Over time', asTable: 'As a table', turns: 'Turns', cost: 'Cost (credits)', firstTextP90: 'Time to first text, P90', time: 'Time', asOf: 'As of', refreshes: 'refreshes every 5 s while visible',
  'ends.completed': 'Complete', 'ends.stopped': 'Stopped', 'ends.blocked': 'Blocked', 'ends.failed': 'Failed',
  liveAnswers: 'Live answers', queued: 'queued', instances: 'instances', turnsToday: 'Turns today', thisHour: 'this hour', success: 'Success today', costToday: 'Cost today (credits)', ofDayLimit: 'of the daily limit',
  speedToday: 'Speed today', firstText: 'First text', wholeAnswer: 'Whole answer', inQueue: 'In the queue', errorsToday: 'Errors today', noErrors: 'No errors today', relaysToday: 'Relays today', failedOf: 'failed', noneYet: 'Nothing asked today', otherToday: 'Also today', checks: 'Content check', coldStarts: 'Cold starts', takeovers: 'Answers taken over', storeFailures: 'Failed store writes',
  'breaker.closed': 'in order', 'breaker.half-open': 'trying', 'breaker.open': 'open',
  findHint: 'Users are never listed: find one by the number on the About page of the mini-program (8 characters or more), or by openid.', findBy: 'Find by', byNumber: 'Number', byOpenid: 'openid', findValue: 'Number or openid', appid: 'appid', appidHint: 'may be left empty where there is only one', find: 'Find', noUser: 'There is no such user. Check and try again.', findAnother: 'Find another user',
  user: 'User', userId: 'Number', since: 'Since', consent: 'Consent', noConsent: 'not given', overseasToo: 'overseas too', standing: 'Standing', suspended: 'Suspended', cooling: 'Taking a break', inOrder: 'In order', untilLifted: 'until lifted', reason: 'Reason', reasonHint: '4 to 500 characters, written to the audit log', suspend: 'Suspend', lift: 'Lift',
  suspendTitle: 'Suspend this user?', suspendText: 'At once on this instance, within 10 seconds on all. The user is told.', days_: 'Days', daysHint: 'empty: until lifted', suspendDone: 'User suspended', undoReason: 'undone in the console', liftTitle: 'Lift the suspension?', liftDone: 'Suspension lifted',
  credits: 'Credits', plan: 'Plan', available: 'Available', held: 'Reserved', 'move.grant': 'Grant', 'move.withdraw': 'Withdraw', 'move.refund': 'Refund a turn', 'moveText.grant': 'The user sees it among the entries.', 'moveText.withdraw': 'Only what is still there can be withdrawn. The user sees it among the entries.', 'moveText.refund': 'Gives back what a turn cost; once a turn.',
  amount: 'Amount (credits)', amountHint: 'such as 1.5, six decimals at most', amountRefund: 'empty: all of it', reasonSeen: 'the user sees it; 80 characters at most', turnId: 'Turn', reference: 'Reference', referenceHint: 'happens once under a reference', validDays: 'Days it is good for', validHint: '0: for ever', tooMuch: 'That is more than there is. Available:', moveDone: 'Done:', moveExisting: 'Done before under this reference; not done twice',
  verdicts: 'Verdict log', noVerdicts: 'Nothing was blocked', 'suggest.review': 'review', 'suggest.risky': 'risky', 'suggest.none': 'undecided', 'place.question': 'question', 'place.answer': 'answer',
  words: 'Words of the user', readHint: 'Reading is written to the audit log first; where that fails, nothing is opened.', readConversations: 'Give a reason and read', readMessage: 'Give a reason and read the message', readComplaint: 'Give a reason and read the complaint', untitled: '(untitled)', noConversations: 'No conversations', conversations: 'Conversations', noMessages: 'No messages', 'state.blocked': 'blocked', 'state.pending': 'unfinished', reasoning: 'Reasoning', feedback: 'Feedback',
  'case.open': 'Open', 'case.looked': 'Looked at', 'case.decided': 'Decided', 'case.all': 'All', state: 'State', noCases: 'No cases', enterCase: 'Enter a complaint', enterText: 'What came by post, by telephone, or from an authority.', enter: 'Enter', note: 'Note', optional: 'optional', waits: 'waits',
  'kind.review': 'Review', 'kind.report': 'Report', 'kind.complaint': 'Complaint', 'reported.unlawful': 'unlawful', 'reported.sexual': 'sexual', 'reported.privacy': 'privacy', 'reported.false': 'false', 'reported.other': 'other',
  caseId: 'Case', openedAt: 'Opened', layer: 'Layer and label', lookedAt: 'First look', decidedAt: 'Decision', look: 'Mark as looked at', decide: 'Decide', decideText: 'A case is decided once. This cannot be undone.', decisionName: 'Decision', decided: 'Decided', 'decision.upheld': 'upheld', 'decision.rejected': 'rejected', 'decision.suspended': 'user suspended', 'decision.noted': 'noted',
  listsHint: 'This list is added to the shipped one and to YUNLIAO_WORDS_FILE. A version is never changed; one that is put in force is so on every instance within seconds.', versions: 'Versions', version: 'Version', newVersion: 'New version', newVersionText: 'Begins with the version in force; in force as soon as it is saved.', putInForce: 'Save and use', wordsField: 'Words, one a line', wordsHint: '20,000 at most; longer lists at a terminal: python3 -m yunliao words add FILE', listTooLong: 'More than 100 KB: upload it at a terminal.', nowInForce: 'is in force', use: 'Use version', useNone: 'Use no list', useText: 'On every instance within seconds.', noneInForce: 'No list is in force', noLists: 'No version yet', wordsCount: 'words', inForce: 'in force', showWords: 'Show', notHereYet: 'The instance that answers you has not taken the new version yet; it does within seconds.',
  tryList: 'Try a text', theOneInForce: 'the one in force', tryText: 'Text', try: 'Try', wouldBlock: 'would be blocked', wouldPass: 'no hit',
  relaysHint: 'Breakers and recent failures are those of the instance that answers you; a switch holds on all of them within seconds.', instance: 'Instance', stranded: 'No upstream answers now for', switchedOff: 'off', switchedOn: 'on', host: 'Address', breakerName: 'Breaker', elsewhere: 'elsewhere', answering: 'Answering', today: 'Asked today', modelsName: 'Models', priority: 'Priority', weight: 'weight', domestic: 'domestic', overseas: 'overseas', offSince: 'Off since', recent: 'Recent failures', noFailures: 'none', switchOff: 'Switch off', switchOn: 'Switch on', switchOffText: 'It is asked for no more answers; those that run go on. Models that no other upstream has cannot be answered. Its content check (moderation) goes on.', isOff: 'is off', isOn: 'is on', test: 'Test', testing: 'Testing with a tiny real generation…', works: 'works', fails: 'fails',
  defaultModel: 'default', modelId: 'Model', price: 'Price (credits per million tokens)', free: 'free', 'whats.input': 'Input', 'whats.cached': 'Cached input', 'whats.output': 'Output', 'whats.reasoning': 'Reasoning', 'whats.image': 'Each image', priceTable: 'Price table', noPrices: 'There is none: nothing costs anything.', day: 'day', 'limits.turn': 'Most a turn may cost', 'limits.user_day': 'Most a user may spend a day', 'limits.service_day': 'Most the service may cost a day', noLimit: 'no limit', pricesWhere: 'Prices are changed in YUNLIAO_PRICES; a question that was accepted keeps the price it was accepted with.',
  settingsHint: 'Read only; secrets are never shown. To change one:', filter: 'Filter', noSetting: 'No such setting', set: 'set', notSet: 'not set', empty: 'empty', byDefault: 'default',
  ownersOnly: 'Only owners may read the audit log.', actor: 'Who', action: 'What', actionHint: 'its beginning will do, such as user.', subject: 'About', verify: 'Verify', intact: 'Whole; entries:', broken: 'Not whole:', noEntries: 'No such entries',
  nothingHere: 'There is no such page',
}

const books = { zh, en }
let chosen = localStorage.getItem(KEY) === 'en' ? 'en' : 'zh'

export const language = () => chosen

export function speak(one) {
  chosen = one
  localStorage.setItem(KEY, one)
}

/** The words for `key`; the key itself for a value that is not known yet, such as a new kind of case. */
export const t = (key) => books[chosen][key] ?? key.slice(key.lastIndexOf('.') + 1)

export { books }
