import { ask } from './api.js';
import { channelTable, failing } from './alerts.js';
import { attempt, count, duration, el, moment, nameOf, stateMark, table, tileList } from './dom.js';

const kNames = { provider: 'Providers together', limits: 'Store of the limits', database: 'Database', audit: 'Audit', issuers: 'Who vouches for users', projects: 'Projects\' webhook', channels: 'Alert channels' };
const megabytes = (bytes) => (bytes === undefined ? '–' : `${count(Math.round(bytes / 1_048_576))} MB`);

/** What the broker stands on. */
export function show(content) {
  const rows = (caption, empty) => table({ caption, empty, key: (row) => row.name,
    columns: [{ title: 'What', head: true, cell: (row) => kNames[row.name] ?? nameOf(row.name) }, { title: 'How', cell: (row) => stateMark(row.state, row.words) }] });
  const services = rows('Services', 'Nothing is known yet.');
  const providers = rows('Providers', 'There is no provider.');
  const channels = channelTable();
  const faults = el('div', {});
  const facts = tileList();
  content.replaceChildren(el('section', {}, el('h1', {}, 'Health'), faults, facts.node, services.node, providers.node, channels.node));
  let told = [];
  let known = [];
  const fillServices = () => {
    const bad = failing(known);
    const ofChannels = { name: 'channels', state: bad.length ? 'failing' : 'ok', words: bad.length ? `${count(bad.length)} of ${count(known.length)} fail${bad.length === 1 ? 's' : ''}` : undefined };
    services.fill([...told, ...(known.length ? [ofChannels] : [])]);
  };
  const takeChannels = (all) => {
    known = all;
    channels.fill(all);
    if (told.length) fillServices();
  };
  const update = (overview) => {
    told = Object.entries(overview.services).map(([name, state]) => ({ name, state }));
    fillServices();
    providers.fill(overview.providers);
    facts.fill({ Version: overview.version, 'Has run for': duration(overview.uptimeSeconds), Memory: megabytes(overview.memoryBytes),
      Connections: count(overview.connections), Answers: count(overview.requests.total), 'Of them failed': `${(overview.requests.errorRate * 100).toFixed(2)} %`,
      'An answer takes': `${overview.requests.averageMs.toFixed(1)} ms`, 'Ledger waits': count(overview.ledgerQueue), 'Audit lines': count(overview.audit.lines),
      'Audit lines lost': count(overview.audit.failures), ...(overview.certificateEnd && { 'Certificate ends': moment(overview.certificateEnd) }) });
  };
  const load = async () => {
    const overview = await attempt(faults, () => ask('GET', 'api/admin/overview'), load, [services, providers, facts]);
    if (overview) update(overview);
    return Boolean(overview);
  };
  return { load, update, takeChannels, isLive: true, lists: [services, providers, facts, channels] };
}
