/** One message as the chat store keeps it, and as pages see it. */

const { toView } = require('../core/errors');
const { labelOr } = require('../core/label');

/**
 * @typedef {{ key: string, id: string, turnId: string, role: 'user'|'assistant', text: string, at: number, state: string, position: number,
 *   end: string, problem: import('../core/errors').Problem | null, label: string, notice: string, hasReasoning: boolean, thinking: boolean,
 *   thinkSeconds: number, feedback: 'none'|'up'|'down' }} Entry
 * @typedef {Record<string, unknown> & { key: string }} MessageView
 */

/** @param {Partial<Entry> & { key: string, role: 'user'|'assistant' }} from @returns {Entry} */
function entry(from) {
  return Object.assign(
    { id: '', turnId: '', text: '', at: 0, state: 'done', position: 0, end: '', problem: null, label: '', notice: '', hasReasoning: false,
      thinking: false, thinkSeconds: 0, feedback: /** @type {'none'} */ ('none') },
    from
  );
}

/** @param {import('../core/protocol').StoredMessage} stored @param {(error: import('../core/protocol').ApiError) => import('../core/errors').Problem} read @returns {Entry} */
function fromStored(stored, read) {
  const assistant = stored.role === 'assistant';
  const blocked = stored.state === 'blocked';
  return entry({
    key: (assistant ? 'a:' : 'u:') + (assistant && stored.turnId ? stored.turnId : stored.id), id: stored.id, turnId: stored.turnId, role: stored.role,
    text: assistant ? '' : stored.text, at: stored.at, state: assistant ? 'done' : blocked ? 'blocked' : 'sent',
    end: assistant ? (blocked ? 'blocked' : stored.end || 'complete') : '', problem: stored.error ? read(stored.error) : null,
    label: stored.label, hasReasoning: Boolean(stored.reasoning), feedback: stored.feedback
  });
}

/**
 * @param {Entry} from @param {{ lang: 'zh'|'en', time: string, last: boolean, label: string }} around @returns {MessageView}
 */
function view(from, around) {
  const assistant = from.role === 'assistant';
  const done = assistant && from.state === 'done';
  const error = from.problem ? toView(from.problem, around.lang) : null;
  return {
    key: from.key, id: from.id, turnId: from.turnId, role: from.role, text: from.text, at: from.at, time: around.time, state: from.state,
    position: from.position, end: from.end, error, label: assistant ? labelOr(from.label || around.label) : '', notice: from.notice,
    hasReasoning: from.hasReasoning, thinking: from.thinking, thinkSeconds: from.thinkSeconds, feedback: from.feedback,
    canRegenerate: done && around.last && Boolean(from.turnId), canContinue: done && around.last && from.end === 'length',
    canRetry: assistant ? done && around.last && from.end === 'failed' && Boolean(error && error.canRetry) : from.state === 'failed',
    canEdit: !assistant && Boolean(from.id) && from.state !== 'sending' && from.state !== 'waiting', last: assistant && around.last
  };
}

module.exports = { entry, fromStored, view };
