import { attempt, confirmed, count, duration, el, field, inWords, minutes, moment, money, nameOf, person, say, table, tileList } from './dom.js';
import { ask, queryOf } from './api.js';

const kTokens = [['audioIn', 'sound in'], ['cachedAudioIn', 'sound in, cached'], ['audioOut', 'sound out'], ['textIn', 'text in'],
  ['cachedTextIn', 'text in, cached'], ['textOut', 'text out'], ['imageIn', 'images in'], ['cachedImageIn', 'images in, cached'], ['transcription', 'transcription']];

function tokensOf({ tokens }) {
  const said = kTokens.filter(([name]) => tokens[name] > 0);
  if (said.length === 0) return '0';
  return el('span', {}, count(said.reduce((sum, [name]) => sum + tokens[name], 0)),
    el('small', {}, said.map(([name, word]) => `${count(tokens[name])} ${word}`).join(', ')));
}

/** Days of the ledger are those of UTC. */
const kTiles = ['Live sessions', 'Streams here', 'Minutes today (UTC)', 'Cost today (UTC)', 'Minted', 'Refreshed', 'Turned away', 'Blocks begun'];

/** Who talks now, and the end of it. */
export function show(content) {
  const faults = el('div', {});
  const refusals = el('div', {});
  const tiles = tileList(Object.fromEntries(kTiles.map((name) => [name, '–'])));
  const user = el('input', { type: 'text', autocomplete: 'off', spellcheck: 'false' });
  const project = el('input', { type: 'text', autocomplete: 'off', spellcheck: 'false' });
  const where = { pages: [] };
  let asked = {};
  const list = table({
    caption: 'Live sessions', key: (row) => row.sessionId, empty: 'Nobody is talking.',
    columns: [
      { title: 'User', head: true, cell: person, key: (row) => row.user },
      { title: 'Project', cell: (row) => (row.projectId ? nameOf(row.projectId) : '–'), key: (row) => row.projectId ?? '' },
      { title: 'Provider', cell: (row) => el('span', {}, row.provider ? nameOf(row.provider) : '–', el('small', {}, nameOf(row.model))), key: (row) => row.provider + row.model },
      { title: 'Way', cell: (row) => (row.transport === 'relay' ? 'through the relay' : 'direct'), key: (row) => row.transport },
      { title: 'Began', cell: (row) => moment(row.startedAt), key: (row) => row.startedAt },
      { title: 'Minutes', number: true, cell: (row) => minutes(row.minutes), key: (row) => minutes(row.minutes) },
      { title: 'Cost', number: true, cell: (row) => money(row.cost), key: (row) => money(row.cost) },
      { title: 'Tokens', number: true, cell: tokensOf, key: (row) => JSON.stringify(row.tokens) },
      { title: '', cell: (row) => el('button', { type: 'button', class: 'danger', 'aria-label': `End the session of ${inWords(row.subject || row.user)}`, on: { click: () => end(row) } }, 'End'), key: () => 'end' },
    ],
  });
  const older = el('button', { type: 'button', on: { click: () => { where.pages.push(where.next); load(); } } }, 'Older');
  const newest = el('button', { type: 'button', on: { click: () => { where.pages = []; load(); } } }, 'Newest');
  const filter = el('form', { class: 'line', on: { submit: (event) => {
    event.preventDefault();
    asked = { user: user.value.trim(), project: project.value.trim() };
    where.pages = [];
    // What was found before is no answer to this question.
    list.forget('Being asked for…');
    load();
  } } },
    field('User, as in the list of blocks', user), field('Project', project), el('button', {}, 'Show'));
  content.replaceChildren(el('section', {}, el('h1', {}, 'Now'), faults, refusals,
    tiles.node,
    el('div', { class: 'card' }, filter), list.node, el('div', { class: 'line' }, newest, older)));

  async function load() {
    const page = await attempt(faults, () => ask('GET', `api/admin/sessions${queryOf({
      ...asked, before: where.pages.at(-1), limit: 50 })}`), load, [list]);
    if (!page) return false;
    where.next = page.next;
    older.disabled = !page.next;
    newest.disabled = where.pages.length === 0;
    list.fill(page.sessions);
    return true;
  }

  async function end(row) {
    const who = inWords(row.subject || row.user);
    const since = duration((Date.now() - new Date(row.startedAt)) / 1000);
    const isMeant = await confirmed({ title: `End the session of ${who}?`, action: 'End the session',
      text: row.transport === 'relay' ? `They have been talking for ${since}. It is cut off at once.`
        : `It went to the provider directly ${since} ago: it gets no new token, and the one that is out works until it expires.` });
    if (!isMeant) return;
    const done = await attempt(refusals, () => ask('DELETE', `api/voice/session/${encodeURIComponent(row.sessionId)}`));
    if (done) say(`The session of ${who} has ended.`);
    await load();
  }

  return {
    update(overview) {
      const sum = (values) => Object.values(values).reduce((all, one) => all + one, 0);
      const told = { 'Live sessions': `${count(overview.sessions.live)}`, 'Streams here': count(overview.sessions.streams),
        'Minutes today (UTC)': overview.today ? minutes(overview.today.minutes) : '–', 'Cost today (UTC)': overview.today ? money(overview.today.cost) : '–',
        Minted: count(overview.tokens.mintedDirect + overview.tokens.mintedRelay), Refreshed: count(overview.tokens.refreshed),
        'Turned away': count(sum(overview.denials)), 'Blocks begun': count(overview.blocksBegun) };
      tiles.fill(told);
    },
    load, lists: [list, tiles], isLive: true,
  };
}
