import { attempt, count, el, field, moment, nameOf, say, table } from './dom.js';
import { ask, queryOf } from './api.js';

const whoOf = (line) => line.subject ?? '';
const whatOf = (line) => [line.target, line.session, line.project && `in ${line.project}`, line.count > 1 && `${count(line.count)} times`].filter(Boolean).join(' · ');

/** Lines of the audit, the newest first, page by page. */
export function auditTable({ caption, kind, empty, chainOf = () => undefined, onPage = () => {} }) {
  const faults = el('div', {});
  const pages = [];
  let next;
  const list = table({ caption, key: (line) => String(line.seq), empty,
    columns: [
      { title: 'Line', number: true, cell: (line) => count(line.seq) },
      { title: 'When', cell: (line) => moment(line.time) },
      { title: 'What', head: true, cell: (line) => el('span', {}, line.event, el('small', {}, line.outcome === 'done' ? '' : `${line.outcome}: ${line.why ?? ''}`)) },
      { title: 'Who', cell: (line) => el('span', {}, whoOf(line) ? nameOf(whoOf(line)) : '–', el('small', {}, line.peer ?? '')) },
      { title: 'About', cell: (line) => (whatOf(line) ? nameOf(whatOf(line)) : '–') },
    ] });
  const older = el('button', { type: 'button', disabled: true, on: { click: () => { pages.push(next); load(); } } }, 'Older');
  const newest = el('button', { type: 'button', disabled: true, on: { click: () => { pages.length = 0; load(); } } }, 'Newest');
  async function load() {
    const page = await attempt(faults, () => ask('GET', `api/admin/audit${queryOf({ kind, chain: chainOf(), before: pages.at(-1), limit: 50 })}`), load, [list]);
    if (!page) return false;
    next = page.next;
    older.disabled = !next;
    newest.disabled = pages.length === 0;
    list.fill(page.lines);
    onPage(page);
    return true;
  }
  /** From the newest on. */
  const begin = () => {
    pages.length = 0;
    list.forget('Being asked for…');
    return load();
  };
  return { node: el('div', { class: 'stack' }, faults, list.node, el('div', { class: 'line' }, newest, older)), load, begin, list };
}

/** What each trail has, by who writes it. */
const kChains = { broker: 'The broker\'s', 'command-line': 'The command line\'s' };

function stateOf(verification) {
  switch (verification.state) {
    case 'running': return ['unknown', 'is being read as a whole.'];
    // That nobody has written any, and that somebody has deleted them all, look the same.
    case 'absent': return ['unknown', `has no lines (${moment(verification.since)}).`];
    case 'whole': return ['ok', `all ${count(verification.lines)} lines were as they were written (${moment(verification.since)}).`];
    case 'flawed': return ['failing', `has been changed: ${verification.flaw} in ${verification.file}, line ${count(verification.line)} (${moment(verification.since)}).`];
    default: return ['unknown', 'was not verified as a whole since the broker began.'];
  }
}

function chainLine({ chain, verification }) {
  const [mark, text] = stateOf(verification);
  return el('li', {}, el('span', { class: `state ${mark}` }, `${kChains[chain] ?? chain} trail: ${text}`));
}

/** What the broker wrote down, and whether it still is as it was written. */
export function show(content, { keepsAudit }) {
  if (!keepsAudit) {
    content.replaceChildren(el('section', {}, el('h1', {}, 'Audit'), el('p', { class: 'note' }, 'This broker keeps no audit.')));
    return { load: async () => true };
  }
  const faults = el('div', {});
  const states = el('ul', { class: 'plain' });
  const here = el('p', { class: 'small' });
  const chain = el('select', {}, ...Object.entries(kChains).map(([value, word]) => el('option', { value }, word)));
  const tell = (page) => {
    states.replaceChildren(...page.chains.map(chainLine));
    here.replaceChildren(el('span', { class: `state ${page.isWhole ? 'ok' : 'failing'}` },
      page.isWhole ? 'The lines on this page follow one another as they were written.' : 'A line on this page is not as it was written.'));
    verify.disabled = page.chains.some(({ verification }) => verification.state === 'running');
    if (verify.disabled) setTimeout(() => { if (states.isConnected) list.load(); }, 1000);
  };
  const list = auditTable({ caption: 'Audit', kind: 'all', empty: 'Nothing is written yet.', chainOf: () => chain.value, onPage: tell });
  chain.addEventListener('change', () => list.begin());
  const verify = el('button', { type: 'button', on: { click: async () => {
    if (await attempt(faults, () => ask('POST', 'api/admin/audit/verify', {}))) say('All of it is being read.');
    await list.load();
  } } }, 'Verify the whole trail');
  content.replaceChildren(el('section', {}, el('h1', {}, 'Audit'), faults, el('div', { class: 'card' }, states, el('div', { class: 'line' }, verify)),
    el('div', { class: 'line' }, field('Trail', chain), here), list.node));
  return { load: list.load, isLive: true, lists: [list.list] };
}
