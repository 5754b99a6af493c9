import { ask } from './api.js';
import { attempt, count, duration, el, moment, stateMark, table } from './dom.js';

const kNames = { provider: 'Providers together', limits: 'Store of the limits', database: 'Database', audit: 'Audit', issuers: 'Who vouches for users', projects: 'Projects\' webhook' };
const megabytes = (bytes) => (bytes === undefined ? '–' : `${count(Math.round(bytes / 1_048_576))} MB`);

/** What the broker stands on. */
export function show(content) {
  const rows = (caption, empty) => table({ caption, empty, key: (row) => row.name,
    columns: [{ title: 'What', head: true, cell: (row) => kNames[row.name] ?? row.name }, { title: 'How', cell: (row) => stateMark(row.state) }] });
  const services = rows('Services', 'Nothing is known yet.');
  const providers = rows('Providers', 'There is no provider.');
  const faults = el('div', {});
  const facts = el('dl', { class: 'tiles' });
  content.replaceChildren(el('section', {}, el('h1', {}, 'Health'), faults, facts, services.node, providers.node));
  const update = (overview) => {
    services.fill(Object.entries(overview.services).map(([name, state]) => ({ name, state })));
    providers.fill(overview.providers);
    const told = { Version: overview.version, 'Has run for': duration(overview.uptimeSeconds), Memory: megabytes(overview.memoryBytes),
      Connections: count(overview.connections), Answers: count(overview.requests.total), 'Of them failed': `${(overview.requests.errorRate * 100).toFixed(2)} %`,
      'An answer takes': `${overview.requests.averageMs.toFixed(1)} ms`, 'Ledger waits': count(overview.ledgerQueue), 'Audit lines': count(overview.audit.lines),
      'Audit lines lost': count(overview.audit.failures), ...(overview.certificateEnd && { 'Certificate ends': moment(overview.certificateEnd) }) };
    facts.replaceChildren(...Object.entries(told).map(([name, value]) => el('div', {}, el('dt', {}, name), el('dd', {}, value))));
  };
  const load = async () => {
    const told = await attempt(faults, () => ask('GET', 'api/admin/overview'));
    if (told) update(told);
  };
  return { load, update };
}
