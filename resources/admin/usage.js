import { attempt, count, el, field, minutes, money, nameOf, say, shown, table, tileList } from './dom.js';
import { ask, download, queryOf } from './api.js';
import { barChart } from './charts.js';

const kWords = { day: 'Day (UTC)', project: 'Project', user: 'User', provider: 'Provider', model: 'Model' };
const kLittle = (word) => word[0].toLowerCase() + word.slice(1);
const kDay = 86_400_000;
const dateOf = (time) => new Date(time).toISOString().slice(0, 10);
/** A caller's key says more than anybody wants to read: "2:21:https://login.example:u1" is u1. */
function shortOf(key, by) {
  const [head, length] = (by === 'user' && /^\d+:(\d+):/.exec(key)) || [];
  return (head ? key.slice(head.length + Number(length) + 1) : key) || (head ? key : '(none)');
}
const ofSound = ({ tokens }) => tokens.audioIn + tokens.cachedAudioIn + tokens.audioOut;
const ofText = ({ tokens }) => tokens.textIn + tokens.cachedTextIn + tokens.textOut;

/** What was used, and what it cost. */
export function show(content) {
  const faults = el('div', {});
  const from = el('input', { type: 'date', value: dateOf(Date.now() - 29 * kDay) });
  const to = el('input', { type: 'date', value: dateOf(Date.now()) });
  const by = el('select', {}, ...Object.entries(kWords).map(([value, word]) => el('option', { value }, word)));
  const project = el('input', { type: 'text', autocomplete: 'off', spellcheck: 'false' });
  const user = el('input', { type: 'text', autocomplete: 'off', spellcheck: 'false' });
  const tiles = tileList();
  const charts = el('div', { class: 'charts' });
  const note = el('p', { class: 'note', hidden: true }, 'There is more than fits: these are the first 1,000 rows. Narrow it down to see the others.');
  const place = el('div', {});
  let list;
  /** Of what is seen; what is filled in may be another question by now. */
  let asked;
  const query = () => ({ from: from.value, to: to.value, by: by.value, project: project.value.trim(), user: user.value.trim() });
  const save = async () => {
    const wanted = query();
    const isDone = await attempt(faults, () => download(`api/voice/usage${queryOf({ ...wanted, format: 'csv' })}`, `usage-${wanted.from}-${wanted.to}-by-${wanted.by}.csv`).then(() => true));
    if (isDone) say('The table is saved as a file.');
  };
  const form = el('form', { class: 'stack', on: { submit: (event) => { event.preventDefault(); take(); } } },
    el('div', { class: 'grid' }, field('From (UTC)', from), field('To (UTC)', to), field('By', by), field('Project', project), field('User, as in the list of blocks', user)),
    el('div', { class: 'line' }, el('button', { class: 'main' }, 'Show'), el('button', { type: 'button', on: { click: save } }, 'Save as CSV')));
  content.replaceChildren(el('section', {}, el('h1', {}, 'Usage'), faults, el('div', { class: 'card' }, form), tiles.node, charts, note, place));

  /** What was there before is no answer to another question. */
  function take() {
    asked = query();
    list = undefined;
    [tiles.node.hidden, note.hidden] = [true, true];
    for (const part of [charts, place]) part.replaceChildren();
    load();
  }
  const stale = () => {
    list?.stale();
    charts.classList.add('stale');
  };

  async function load() {
    asked ??= query();
    const told = await attempt(faults, () => ask('GET', `api/voice/usage${queryOf(asked)}`), load, [{ stale }, tiles]);
    if (!told) return false;
    tiles.node.hidden = false;
    charts.classList.remove('stale');
    const facts = { Sessions: count(told.totalSessions), Minutes: minutes(told.totalMinutes), Cost: money(told.totalCost),
      'Cost today (UTC)': money(told.costToday), 'Sessions today (UTC)': count(told.sessionsToday), 'Minutes each': minutes(told.averageSessionDuration),
      'Function calls': count(told.toolCallsTotal), 'Turns without a price': count(told.unpricedTurns) };
    tiles.fill(facts);
    note.hidden = !told.isCut;
    const word = kWords[told.by];
    // Every day between is a bar, also where nobody talked; of others the ten with the most time.
    let bars = told.rows.slice(0, 10).map((row) => ({ ...row, name: shown(shortOf(row[told.by], told.by)) }));
    if (told.by === 'day') {
      const known = new Map(told.rows.map((row) => [row.day, row]));
      bars = [];
      for (let day = Date.parse(told.from); day <= Date.parse(told.to) && bars.length < 400; day += kDay) {
        bars.push({ minutes: 0, cost: 0, ...known.get(dateOf(day)), name: dateOf(day).slice(5) });
      }
    }
    const draw = ({ kind, title, write, card }) => {
      const width = Math.max(card.clientWidth - 32, 240);
      card.append(barChart({ bars: bars.map((bar) => ({ name: bar.name, value: bar[kind] })), kind, write, width,
        label: `${title}, by ${kLittle(word)}: ${bars.length} bars, the highest ${write(Math.max(...bars.map((bar) => bar[kind]), 0))}. The table below has the numbers.` }));
    };
    const seen = [['minutes', 'Minutes', minutes], ['cost', 'Cost', money]].filter(() => told.rows.length)
      .map(([kind, title, write]) => ({ kind, title, write, card: el('div', { class: 'card' }, el('h2', {}, title)) }));
    charts.replaceChildren(...seen.map(({ card }) => card));
    seen.forEach(draw);
    const isNew = !list;
    list ??= table({ caption: `Usage by ${kLittle(word)}`, key: (row) => row[told.by], empty: 'Nothing was used in these days.',
      columns: [
        { title: word, head: true, cell: (row) => (told.by === 'user' ? el('span', {}, nameOf(shortOf(row.user, 'user')), el('small', {}, nameOf(row.user))) : row[told.by] ? nameOf(row[told.by]) : '(none)') },
        { title: 'Sessions', number: true, cell: (row) => count(row.sessions) },
        { title: 'Minutes', number: true, cell: (row) => minutes(row.minutes) },
        { title: 'Cost', number: true, cell: (row) => money(row.cost) },
        { title: 'Turns', number: true, cell: (row) => count(row.turns) },
        { title: 'Tokens of sound', number: true, cell: (row) => count(ofSound(row)) },
        { title: 'Tokens of text', number: true, cell: (row) => count(ofText(row)) },
      ] });
    list.fill(told.rows);
    if (isNew) place.replaceChildren(list.node);
    return true;
  }
  return { load, isOnce: true, spends: true };
}
