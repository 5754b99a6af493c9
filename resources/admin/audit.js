import { attempt, count, el, moment, say, table } from './dom.js';
import { ask, queryOf } from './api.js';

const whoOf = (line) => line.subject ?? '';
const whatOf = (line) => [line.target, line.session, line.project && `in ${line.project}`, line.count > 1 && `${count(line.count)} times`].filter(Boolean).join(' · ');

/** Lines of the audit, the newest first, page by page. */
export function auditTable({ caption, kind, empty, onPage = () => {} }) {
  const faults = el('div', {});
  const pages = [];
  let next;
  const list = table({ caption, key: (line) => String(line.seq), empty,
    columns: [
      { title: 'Line', number: true, cell: (line) => count(line.seq) },
      { title: 'When', cell: (line) => moment(line.time) },
      { title: 'What', head: true, cell: (line) => el('span', {}, line.event, el('small', {}, line.outcome === 'done' ? '' : `${line.outcome}: ${line.why ?? ''}`)) },
      { title: 'Who', cell: (line) => el('span', {}, whoOf(line) || '–', el('small', {}, line.peer ?? '')) },
      { title: 'About', cell: (line) => whatOf(line) || '–' },
    ] });
  const older = el('button', { type: 'button', disabled: true, on: { click: () => { pages.push(next); load(); } } }, 'Older');
  const newest = el('button', { type: 'button', disabled: true, on: { click: () => { pages.length = 0; load(); } } }, 'Newest');
  async function load() {
    const page = await attempt(faults, () => ask('GET', `api/admin/audit${queryOf({ kind, before: pages.at(-1), limit: 50 })}`));
    if (!page) return;
    next = page.next;
    older.disabled = !next;
    newest.disabled = pages.length === 0;
    list.fill(page.lines);
    onPage(page);
  }
  return { node: el('div', { class: 'stack' }, faults, list.node, el('div', { class: 'line' }, newest, older)), load };
}

function stateOf({ verification, isWhole }) {
  const here = isWhole ? 'The lines on this page follow one another as they were written.' : 'A line on this page is not as it was written.';
  switch (verification.state) {
    case 'running': return ['unknown', `The whole trail is being read. ${here}`];
    case 'whole': return [isWhole ? 'ok' : 'failing', `All ${count(verification.lines)} lines were as they were written (${moment(verification.since)}). ${here}`];
    case 'flawed': return ['failing', `The trail has been changed: ${verification.flaw} in ${verification.file}, line ${count(verification.line)} (${moment(verification.since)}).`];
    default: return [isWhole ? 'unknown' : 'failing', `The whole trail was not verified since the broker began. ${here}`];
  }
}

/** What the broker wrote down, and whether it still is as it was written. */
export function show(content, { keepsAudit }) {
  if (!keepsAudit) {
    content.replaceChildren(el('section', {}, el('h1', {}, 'Audit'), el('p', { class: 'note' }, 'This broker keeps no audit.')));
    return { load: async () => {} };
  }
  const faults = el('div', {});
  const state = el('p', {});
  const tell = (page) => {
    const [mark, text] = stateOf(page);
    state.replaceChildren(el('span', { class: `state ${mark}` }, text));
    verify.disabled = page.verification.state === 'running';
    if (verify.disabled) setTimeout(() => { if (state.isConnected) list.load(); }, 1000);
  };
  const list = auditTable({ caption: 'Audit', kind: 'all', empty: 'Nothing is written yet.', onPage: tell });
  const verify = el('button', { type: 'button', on: { click: async () => {
    if (await attempt(faults, () => ask('POST', 'api/admin/audit/verify', {}))) say('The trail is being read.');
    await list.load();
  } } }, 'Verify the whole trail');
  const elsewhere = el('p', { class: 'note' });
  elsewhere.textContent = 'What was done on the command line is in a trail of its own, which is not included here: audit.folder/command-line.';
  content.replaceChildren(el('section', {}, el('h1', {}, 'Audit'), faults, el('div', { class: 'card' }, state, el('div', { class: 'line' }, verify)), elsewhere, list.node));
  return { load: list.load };
}
