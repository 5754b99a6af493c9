import { attempt, confirmed, count, el, field, inWords, moment, nameOf, person, say, table, zoneName } from './dom.js';
import { ask, download, filePage, keep, queryOf } from './api.js';

const kPath = 'api/voice/transcripts';
const kSpeakers = { user: 'User', assistant: 'Assistant', tool: 'Function' };
const kExtents = { whole: '', interrupted: 'interrupted', unfinished: 'not finished' };
const kFormats = [['text', 'Text', 'txt'], ['csv', 'CSV', 'csv'], ['json', 'JSON', 'json']];
/** So many may be asked for in a minute, with some that the page itself asks for. */
const kMostPages = 100;
/** Pages of a file as one. */
const kJoined = {
  text: (pages) => pages.filter(Boolean).join('\n'),
  // Each has the head.
  csv: (pages) => pages.map((page, index) => (index === 0 ? page : page.slice(page.indexOf('\r\n') + 2))).join(''),
  json: (pages) => JSON.stringify({ transcripts: pages.flatMap((page) => JSON.parse(page).transcripts) }),
};

const addressOf = (id) => `${kPath}/${encodeURIComponent(id)}`;

/** What was said, one line after the other; what is text stays text. */
function sayings(lines, label) {
  return el('ol', { class: 'sayings', 'aria-label': label }, ...lines.map((line) => el('li', { class: line.speaker },
    el('p', { class: 'when' }, `${kSpeakers[line.speaker] ?? line.speaker}, ${moment(line.at)}${kExtents[line.extent] ? `, ${kExtents[line.extent]}` : ''}`),
    el('p', { class: 'said', dir: 'auto' }, line.text))));
}

/** What is kept of what was said: search, a conversation, files, deletion. */
export function show(content, _overview, { isReader } = {}) {
  const faults = el('div', {});
  const refusals = el('div', {});
  const text = el('input', { type: 'search', maxlength: 64, autocomplete: 'off', spellcheck: 'false' });
  const project = el('input', { type: 'text', maxlength: 128, autocomplete: 'off', spellcheck: 'false' });
  const user = el('input', { type: 'text', autocomplete: 'off', spellcheck: 'false' });
  const from = el('input', { type: 'date' });
  const to = el('input', { type: 'date' });
  const pages = [];
  let asked = {};
  let next;
  const reader = el('div', {});
  const part = el('p', { class: 'note', hidden: true }, 'There is more than one file takes: the last one saved has the newest of it. Narrow it down to save the others.');

  /** The moment at which a day of this clock begins, or the day after it: "to" is the first moment that does not count. */
  const momentOf = (day, daysOn) => {
    if (!day) return '';
    const [year, month, date] = day.split('-').map(Number);
    return new Date(year, month - 1, date + daysOn).toISOString();
  };
  const question = () => ({ text: text.value.trim(), project: project.value.trim(), user: user.value.trim(), from: momentOf(from.value, 0), to: momentOf(to.value, 1) });
  const list = table({ caption: 'Transcripts', key: (row) => row.sessionId, empty: 'Nothing that was said is kept here, or nothing that was looked for.',
    columns: [
      { title: 'Began', head: true, cell: (row) => el('span', {}, moment(row.startedAt), el('small', {}, `kept until ${moment(row.keptUntil)}`)) },
      { title: 'Project', cell: (row) => nameOf(row.projectId) },
      { title: 'Who', cell: person },
      { title: 'Lines', number: true, cell: (row) => el('span', {}, count(row.lineCount), el('small', {}, row.isWhole ? '' : 'not whole')) },
      { title: 'Found', cell: (row) => (row.matches?.length ? sayings(row.matches, 'Lines in which it was said') : '–') },
      { title: '', cell: (row) => el('span', { class: 'line' },
        el('button', { type: 'button', 'aria-label': `Read what ${inWords(row.subject || row.user)} said at ${moment(row.startedAt)}`, on: { click: () => read(row) } }, 'Read'),
        el('button', { type: 'button', class: 'danger', 'aria-label': `Delete what ${inWords(row.subject || row.user)} said at ${moment(row.startedAt)}`, on: { click: () => remove(row) } }, 'Delete')) },
    ] });
  const older = el('button', { type: 'button', disabled: true, on: { click: () => { pages.push(next); load(); } } }, 'Older');
  const newest = el('button', { type: 'button', disabled: true, on: { click: () => { pages.length = 0; load(); } } }, 'Newest');
  const form = el('form', { class: 'stack', role: 'search', on: { submit: (event) => {
    event.preventDefault();
    asked = question();
    pages.length = 0;
    // What was found before is no answer to this question.
    list.forget('Being asked for…');
    load({ isAsked: true });
  } } },
    el('div', { class: 'grid' }, field('What was said', text), field('Project', project),
      field('User', user, 'As rows name them; empty: everybody.'), field('From', from, `Days of ${zoneName()}.`), field('To', to)),
    el('div', { class: 'line' }, el('button', { class: 'main' }, 'Search'),
      ...kFormats.map(([format, word, ending]) => el('button', { type: 'button', on: { click: () => save(format, ending) } }, `Save as ${word}`)),
      el('button', { type: 'button', class: 'danger', on: { click: () => removeAll() } }, 'Delete all of this user')));
  content.replaceChildren(el('section', {}, el('h1', {}, 'Transcripts'),
    el('p', { class: 'note' }, `${isReader ? 'What was said in projects of which you are an admin, and what you said yourself. ' : ''}What was said through the relay, of projects whose policy has it kept. Whoever reads, saves or deletes it is in the audit.`),
    el('div', { class: 'card' }, form), faults, refusals, part, list.node, el('div', { class: 'line' }, newest, older), reader));

  async function load({ isAsked } = {}) {
    const told = await attempt(faults, () => ask('GET', `${kPath}${queryOf({ ...asked, before: pages.at(-1), limit: 20 })}`), () => load({ isAsked }), [list]);
    if (!told) return false;
    next = told.next;
    older.disabled = !next;
    newest.disabled = pages.length === 0;
    list.fill(told.transcripts);
    if (isAsked) say(told.transcripts.length === 1 ? 'One transcript.' : `${count(told.transcripts.length)} transcripts${next ? ' on this page' : ''}.`);
    return true;
  }

  async function read(row) {
    const told = await attempt(refusals, () => ask('GET', addressOf(row.sessionId)));
    if (!told) return;
    const heading = el('h2', { tabindex: '-1' }, `${inWords(told.projectId)}, ${moment(told.startedAt)}`);
    reader.replaceChildren(el('div', { class: 'card' }, heading,
      el('p', { class: 'note' }, `${inWords(told.subject || told.user)}, ${inWords(told.model)}${told.isWhole ? '' : '. Not whole: something that was said is not here.'}`),
      sayings(told.lines, 'What was said'),
      el('div', { class: 'line' }, ...kFormats.map(([format, word, ending]) => el('button', { type: 'button', on: { click: () => attempt(refusals,
        () => download(`${addressOf(told.sessionId)}?format=${format}`, `${told.sessionId}.${ending}`).then(() => true)) } }, `Save as ${word}`)),
        el('button', { type: 'button', class: 'danger', on: { click: () => remove(told) } }, 'Delete'),
        el('button', { type: 'button', on: { click: () => { reader.replaceChildren(); form.querySelector('input').focus(); } } }, 'Close'))));
    heading.focus();
  }

  async function remove(row) {
    const isMeant = await confirmed({ title: 'Delete this transcript?', action: 'Delete it',
      text: `What ${inWords(row.subject || row.user)} and the assistant said on ${moment(row.startedAt)} is gone for good. Of a conversation that goes on, nothing more is kept.` });
    if (!isMeant) return;
    const done = await attempt(refusals, () => ask('DELETE', addressOf(row.sessionId)));
    if (done) {
      say('The transcript is deleted.');
      reader.replaceChildren();
    }
    await load();
  }

  async function removeAll() {
    const whose = user.value.trim();
    const where = project.value.trim();
    if (!whose) {
      say('Say whose: fill in the user.');
      user.focus();
      return;
    }
    const isMeant = await confirmed({ title: 'Delete all that this user said?', action: 'Delete all of it',
      text: `All transcripts of ${inWords(whose)}${where ? ` in ${inWords(where)}` : ', in every project,'} are gone for good.` });
    if (!isMeant) return;
    const done = await attempt(refusals, () => ask('DELETE', `${kPath}${queryOf({ user: whose, project: where })}`));
    if (done) {
      say(done.removed === 1 ? 'One transcript is deleted.' : `${count(done.removed)} transcripts are deleted.`);
      reader.replaceChildren();
    }
    pages.length = 0;
    await load();
  }

  /** All that the form asks for, also where it was not searched for. */
  async function save(format, ending) {
    const wanted = question();
    await attempt(refusals, async () => {
      const had = [];
      let page;
      do {
        page = await filePage(`${kPath}${queryOf({ ...wanted, before: page?.next, format, limit: 100 })}`);
        had.push(page.text);
      } while (page.next && had.length < kMostPages);
      keep(new Blob([kJoined[format](had)], { type: page.type }), `transcripts${page.next ? '-part' : ''}.${ending}`);
      part.hidden = !page.next;
      say(page.next ? 'A part of the transcripts is saved as a file.' : 'The transcripts are saved as a file.');
    });
  }
  return { load, lists: [list], isOnce: true };
}
