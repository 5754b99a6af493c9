import { attempt, count, el, moment, nameOf, stateMark, table } from './dom.js';
import { ask, queryOf } from './api.js';

const kPath = 'api/admin/alerts';
/** So many at a time: of these it is known how channels do. */
const kMost = 50;
/** Channels try again after a second, twice as long each time, at most so long; of it at least the half. */
const kLongestPause = 900;
/** A channel whose next attempt should have been so long ago is nobody's any more. */
const kOverdue = 300_000;

const kSeverities = { critical: ['failing', 'critical'], warning: ['degraded', 'warning'], info: ['unknown', 'information'] };
/** Why an attempt failed, as somebody who has to mend it says it. */
const kReasons = {
  'channel.answered': 'it did not take it', 'channel.unreachable': 'it cannot be reached', 'channel.timeout': 'it did not answer in time', 'channel.malformed': 'its answer made no sense',
  'channel.login_refused': 'it does not take the user and the password', 'channel.busy': 'too much waits for it', 'channel.stopped': 'the broker went down', 'channel.failed': 'it failed',
  'provider.unreachable': 'it cannot be reached', 'provider.failed': 'it answered that it failed', 'provider.refused': 'it refused', 'provider.silent': 'it did not answer',
  'provider.malformed': 'its answer made no sense', 'provider.closed': 'it hung up', 'provider.quota': 'its account is exhausted', 'auth.refused': 'it does not take the user and the password',
  'broker.unreachable': 'it cannot be reached', 'broker.failed': 'it answered that it failed', 'broker.malformed': 'its answer made no sense', 'rate.limited': 'it takes no more for now',
  timeout: 'it took too long', cancelled: 'the broker was stopped meanwhile', 'url.insecure': 'its address is not https', internal: 'something went wrong in the broker',
};

function reasonOf(code) {
  return el('span', {}, kReasons[code] ?? 'it did not take it', ' ', el('code', {}, code));
}

/** Not before then was it tried the last time: that is told of no attempt that is to be made again. */
function lastFailure({ state, at, nextAt, attempts }) {
  if (state === 'given_up') return Date.parse(at);
  return Date.parse(nextAt) - Math.min(2 ** Math.max(attempts - 1, 0), kLongestPause) * 500;
}

/** How each channel does, as its alerts tell (the newest first); `isPart`: there are older ones. */
function channelsOf(alerts, isPart) {
  const all = new Map();
  for (const alert of alerts) {
    for (const delivery of alert.deliveries) {
      if (!all.has(delivery.channel)) all.set(delivery.channel, []);
      all.get(delivery.channel).push({ ...delivery, raisedAt: alert.timestamp });
    }
  }
  return [...all].map(([channel, deliveries]) => {
    const sent = deliveries.filter(({ state }) => state === 'sent').map(({ at }) => at).sort().at(-1);
    const waiting = deliveries.filter(({ state }) => state === 'waiting');
    const failed = deliveries.filter((one) => (one.state === 'given_up' || (one.state === 'waiting' && one.reason)) && (!sent || lastFailure(one) > Date.parse(sent)));
    const next = waiting.map(({ nextAt }) => nextAt).sort();
    const isGone = next.length > 0 && Date.parse(next.at(-1)) < Date.now() - kOverdue;
    return { channel, sent, waiting: waiting.length, next: next[0], givenUp: deliveries.filter(({ state }) => state === 'given_up').length,
      state: isGone ? 'gone' : failed.length ? 'failing' : sent ? 'ok' : 'unknown',
      // The newest that failed says why, the oldest since when.
      reason: failed[0]?.reason, since: failed.map(({ raisedAt }) => raisedAt).sort()[0], isLonger: isPart && !sent };
  }).sort((one, other) => one.channel.localeCompare(other.channel));
}

async function askAlerts(before) {
  const told = await ask('GET', `${kPath}${queryOf({ before, limit: kMost })}`);
  return { alerts: told.alerts, before: told.before, channels: channelsOf(told.alerts, Boolean(told.before)) };
}

export const askChannels = async () => (await askAlerts()).channels;
export const failing = (channels) => channels.filter(({ state }) => state === 'failing');

const kStates = { ok: ['ok', 'Works'], failing: ['failing', 'Fails'], unknown: ['unknown', 'Not tried yet'], gone: ['degraded', 'Tried no more: is it still configured?'] };

/** How alerts arrive, channel by channel. */
export function channelTable() {
  const told = (row) => JSON.stringify(row);
  return table({ caption: 'Alert channels', key: (row) => row.channel, empty: 'No channel was to tell anybody anything yet. They are configured as [[alerts.channels]].',
    columns: [
      { title: 'Channel', head: true, cell: (row) => nameOf(row.channel), key: told },
      { title: 'How', cell: (row) => stateMark(...kStates[row.state]), key: told },
      { title: 'Since', cell: (row) => (row.since ? `${row.isLonger ? 'before ' : ''}${moment(row.since)}` : '–'), key: told },
      { title: 'Why', cell: (row) => (row.reason ? reasonOf(row.reason) : '–'), key: told },
      { title: 'Waiting', cell: (row) => (row.waiting ? el('span', {}, count(row.waiting), el('small', {}, row.state === 'gone' ? '' : `next attempt ${moment(row.next)}`)) : '0'), key: told },
      { title: 'Given up', number: true, cell: (row) => count(row.givenUp), key: told },
      { title: 'Last told', cell: (row) => (row.sent ? moment(row.sent) : '–'), key: told },
    ] });
}

function deliveryLine({ channel, state, attempts, at, nextAt, reason }) {
  const times = attempts === 1 ? 'one attempt' : `${count(attempts)} attempts`;
  const words = { sent: ['ok', `told ${moment(at)}`], given_up: ['failing', `given up ${moment(at)} after ${times}`],
    waiting: attempts === 0 ? ['unknown', 'waits'] : reason ? ['failing', `waits after ${times}, the next ${moment(nextAt)}`] : ['unknown', 'is being told'] };
  const [mark, text] = words[state] ?? ['unknown', state];
  return el('li', {}, el('span', { class: `state ${mark}` }, el('span', {}, nameOf(channel), `: ${text}`, ...(reason && state !== 'sent' ? [': ', reasonOf(reason)] : []))));
}

/** What operators were told of, and how far that came. */
export function show(content) {
  const faults = el('div', {});
  const channels = channelTable();
  const pages = [];
  let next;
  const list = table({ caption: 'Alerts', key: (row) => row.id, empty: 'There was nothing to tell.',
    columns: [
      { title: 'When', cell: (row) => moment(row.timestamp) },
      { title: 'What', head: true, cell: (row) => el('span', {}, nameOf(row.title), el('small', {}, `${row.type}, by ${row.broker}`)) },
      { title: 'How bad', cell: (row) => stateMark(...(kSeverities[row.severity] ?? ['unknown', row.severity])) },
      { title: 'Told to', cell: (row) => (row.deliveries.length ? el('ul', { class: 'plain' }, ...row.deliveries.map(deliveryLine))
        : el('span', {}, 'nobody', el('small', {}, 'no channel wants it, or there were too many of its kind in that hour'))) },
    ] });
  const older = el('button', { type: 'button', disabled: true, on: { click: () => { pages.push(next); load(); } } }, 'Older');
  const newest = el('button', { type: 'button', disabled: true, on: { click: () => { pages.length = 0; load(); } } }, 'Newest');
  content.replaceChildren(el('section', {}, el('h1', {}, 'Alerts'), faults,
    el('p', { class: 'note' }, `How channels do is what the newest ${kMost} alerts tell. One that was to tell none of them is not here.`), channels.node, list.node, el('div', { class: 'line' }, newest, older)));

  async function load() {
    const before = pages.at(-1);
    const told = await attempt(faults, () => askAlerts(before), load, [list, channels]);
    if (!told) return false;
    // What older ones say of a channel is not how it does now.
    if (!before) channels.fill(told.channels);
    next = told.before;
    older.disabled = !next;
    newest.disabled = !before;
    list.fill(told.alerts);
    return true;
  }
  return { load, lists: [list, channels], takeChannels: channels.fill };
}
