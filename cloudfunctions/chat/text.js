/** The text of an answer rebuilt from its events (docs/api.md). Positions count Unicode code points, as the service does. */

/**
 * @param {Array<{ type: string, [field: string]: any }>} events all of them, from the first
 * @returns {{ content: string, end: any }} `end`: the terminal event, or null
 */
function rebuilt(events) {
  let content = '';
  let end = null;
  events.forEach((event) => {
    if (event.type === 'text') content += event.delta;
    else if (event.type === 'retract') content = Array.from(content).slice(0, event.keep).join('');
    else if (event.type === 'end') end = event;
  });
  return { content, end };
}

module.exports = { rebuilt };
