import { attempt, confirmed, count, duration, el, field, minutes, moment, money, person, say, table } from './dom.js';
import { ask, queryOf } from './api.js';

const kTokens = [['audioIn', 'sound in'], ['cachedAudioIn', 'sound in, cached'], ['audioOut', 'sound out'], ['textIn', 'text in'],
  ['cachedTextIn', 'text in, cached'], ['textOut', 'text out'], ['imageIn', 'images in'], ['cachedImageIn', 'images in, cached'], ['transcription', 'transcription']];

function tokensOf({ tokens }) {
  const said = kTokens.filter(([name]) => tokens[name] > 0);
  if (said.length === 0) return '0';
  return el('span', {}, count(said.reduce((sum, [name]) => sum + tokens[name], 0)),
    el('small', {}, said.map(([name, word]) => `${count(tokens[name])} ${word}`).join(', ')));
}

/** Who talks now, and the end of it. */
export function show(content) {
  const faults = el('div', {});
  const numbers = new Map();
  const tile = (name) => {
    const value = el('dd', {}, '–');
    numbers.set(name, value);
    return el('div', {}, el('dt', {}, name), value);
  };
  const user = el('input', { type: 'text', autocomplete: 'off', spellcheck: 'false' });
  const project = el('input', { type: 'text', autocomplete: 'off', spellcheck: 'false' });
  const where = { pages: [] };
  const list = table({
    caption: 'Live sessions', key: (row) => row.sessionId, empty: 'Nobody is talking.',
    columns: [
      { title: 'User', head: true, cell: person, key: (row) => row.user },
      { title: 'Project', cell: (row) => row.projectId ?? '–', key: (row) => row.projectId ?? '' },
      { title: 'Provider', cell: (row) => el('span', {}, row.provider || '–', el('small', {}, row.model)), key: (row) => row.provider + row.model },
      { title: 'Way', cell: (row) => (row.transport === 'relay' ? 'through the relay' : 'direct'), key: (row) => row.transport },
      { title: 'Began', cell: (row) => moment(row.startedAt), key: (row) => row.startedAt },
      { title: 'Minutes', number: true, cell: (row) => minutes(row.minutes), key: (row) => minutes(row.minutes) },
      { title: 'Cost', number: true, cell: (row) => money(row.cost), key: (row) => money(row.cost) },
      { title: 'Tokens', number: true, cell: tokensOf, key: (row) => JSON.stringify(row.tokens) },
      { title: '', cell: (row) => el('button', { type: 'button', class: 'danger', 'aria-label': `End the session of ${row.subject || row.user}`, on: { click: () => end(row) } }, 'End'), key: () => 'end' },
    ],
  });
  const older = el('button', { type: 'button', on: { click: () => { where.pages.push(where.next); load(); } } }, 'Older');
  const newest = el('button', { type: 'button', on: { click: () => { where.pages = []; load(); } } }, 'Newest');
  const filter = el('form', { class: 'line', on: { submit: (event) => { event.preventDefault(); where.pages = []; load(); } } },
    field('User, as in the list of blocks', user), field('Project', project), el('button', {}, 'Show'));
  content.replaceChildren(el('section', {}, el('h1', {}, 'Now'), faults,
    el('dl', { class: 'tiles' }, ...['Live sessions', 'Streams here', 'Minutes today', 'Cost today', 'Minted', 'Refreshed', 'Turned away', 'Blocks begun'].map(tile)),
    el('div', { class: 'card' }, filter), list.node, el('div', { class: 'line' }, newest, older)));

  async function load() {
    const page = await attempt(faults, () => ask('GET', `api/admin/sessions${queryOf({
      user: user.value.trim(), project: project.value.trim(), before: where.pages.at(-1), limit: 50 })}`));
    if (!page) return;
    where.next = page.next;
    older.disabled = !page.next;
    newest.disabled = where.pages.length === 0;
    list.fill(page.sessions);
  }

  async function end(row) {
    const who = row.subject || row.user;
    const since = duration((Date.now() - new Date(row.startedAt)) / 1000);
    const isMeant = await confirmed({ title: `End the session of ${who}?`, action: 'End the session',
      text: row.transport === 'relay' ? `They have been talking for ${since}. It is cut off at once.`
        : `It went to the provider directly ${since} ago: it gets no new token, and the one that is out works until it expires.` });
    if (!isMeant) return;
    const done = await attempt(faults, () => ask('DELETE', `api/voice/session/${encodeURIComponent(row.sessionId)}`));
    if (done) say(`The session of ${who} has ended.`);
    await load();
  }

  return {
    update(overview) {
      const sum = (values) => Object.values(values).reduce((all, one) => all + one, 0);
      const told = { 'Live sessions': `${count(overview.sessions.live)}`, 'Streams here': count(overview.sessions.streams),
        'Minutes today': overview.today ? minutes(overview.today.minutes) : '–', 'Cost today': overview.today ? money(overview.today.cost) : '–',
        Minted: count(overview.tokens.mintedDirect + overview.tokens.mintedRelay), Refreshed: count(overview.tokens.refreshed),
        'Turned away': count(sum(overview.denials)), 'Blocks begun': count(overview.blocksBegun) };
      for (const [name, value] of Object.entries(told)) if (numbers.get(name).textContent !== value) numbers.get(name).textContent = value;
    },
    load,
  };
}
