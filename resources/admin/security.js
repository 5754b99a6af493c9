import { attempt, confirmed, count, duration, el, inWords, nameOf, say, table } from './dom.js';
import { ask } from './api.js';
import { auditTable } from './audit.js';

/** Who is kept out, and who was turned away. */
export function show(content, { keepsAudit }) {
  const faults = el('div', {});
  const refusals = el('div', {});
  const blocks = table({ caption: 'Blocked', key: (row) => row.user, empty: 'Nobody is blocked.',
    columns: [
      { title: 'User', head: true, cell: (row) => nameOf(row.user), key: (row) => row.user },
      { title: 'Bucket', cell: (row) => row.bucket, key: (row) => row.bucket },
      { title: 'In a row', number: true, cell: (row) => count(row.level), key: (row) => String(row.level) },
      { title: 'Still', number: true, cell: (row) => duration(row.secondsLeft), key: (row) => duration(row.secondsLeft) },
      { title: '', cell: (row) => el('button', { type: 'button', 'aria-label': `Lift the block of ${inWords(row.user)}`, on: { click: () => lift(row) } }, 'Lift'), key: () => 'lift' },
    ] });
  const denials = table({ caption: 'Turned away since the start', key: (row) => row.reason, empty: 'Nobody was turned away.',
    columns: [{ title: 'Why', head: true, cell: (row) => el('code', {}, row.reason) }, { title: 'Times', number: true, cell: (row) => count(row.times) }] });
  const events = keepsAudit ? auditTable({ caption: 'Security events', kind: 'security', empty: 'Nothing has happened.' }) : null;
  content.replaceChildren(el('section', {}, el('h1', {}, 'Security'), faults, refusals, blocks.node, denials.node,
    events ? events.node : el('p', { class: 'note' }, 'This broker keeps no audit, so there are no events to show.')));

  async function lift(row) {
    const isMeant = await confirmed({ title: 'Lift the block?', action: 'Lift the block',
      text: `${inWords(row.user)} may come in again at once, and what led to the block is forgiven.` });
    if (!isMeant) return;
    const done = await attempt(refusals, () => ask('POST', 'api/admin/blocks/lift', { user: row.user }));
    if (done) say(done.lifted ? 'The block is lifted.' : 'There was no block any more.');
    await load();
  }
  async function load() {
    const told = await attempt(faults, () => ask('GET', 'api/admin/blocks'), load, [blocks]);
    if (told) blocks.fill(told.blocks);
    const areEventsThere = !events || await events.load();
    return Boolean(told) && areEventsThere;
  }
  return {
    load, isLive: true, lists: [blocks, denials, ...(events ? [events.list] : [])],
    update(overview) {
      denials.fill(Object.entries(overview.denials).map(([reason, times]) => ({ reason, times })).sort((a, b) => b.times - a.times));
    },
  };
}
