import { attempt, count, el, field, minutes, money, say, table } from './dom.js';
import { ask, download, queryOf } from './api.js';
import { barChart } from './charts.js';

const kWords = { day: 'Day', project: 'Project', user: 'User', provider: 'Provider', model: 'Model' };
const kDay = 86_400_000;
const dateOf = (time) => new Date(time).toISOString().slice(0, 10);
/** A caller's key says more than anybody wants to read: "2:21:https://login.example:u1" is u1. */
function nameOf(key, by) {
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
  const tiles = el('dl', { class: 'tiles' });
  const charts = el('div', { class: 'charts' });
  const note = el('p', { class: 'note', hidden: true }, 'There is more than fits: these are the first 1,000 rows. Narrow it down to see the others.');
  const place = el('div', {});
  const query = () => ({ from: from.value, to: to.value, by: by.value, project: project.value.trim(), user: user.value.trim() });
  const save = async () => {
    const asked = query();
    await attempt(faults, () => download(`api/voice/usage${queryOf({ ...asked, format: 'csv' })}`, `usage-${asked.from}-${asked.to}-by-${asked.by}.csv`));
    say('The table is saved as a file.');
  };
  const form = el('form', { class: 'stack', on: { submit: (event) => { event.preventDefault(); load(); } } },
    el('div', { class: 'grid' }, field('From', from), field('To', to), field('By', by), field('Project', project), field('User, as in the list of blocks', user)),
    el('div', { class: 'line' }, el('button', { class: 'main' }, 'Show'), el('button', { type: 'button', on: { click: save } }, 'Save as CSV')));
  content.replaceChildren(el('section', {}, el('h1', {}, 'Usage'), faults, el('div', { class: 'card' }, form), tiles, charts, note, place));

  async function load() {
    const told = await attempt(faults, () => ask('GET', `api/voice/usage${queryOf(query())}`));
    if (!told) return;
    const facts = { Sessions: count(told.totalSessions), Minutes: minutes(told.totalMinutes), Cost: money(told.totalCost),
      'Cost today': money(told.costToday), 'Sessions today': count(told.sessionsToday), 'Minutes each': minutes(told.averageSessionDuration),
      'Function calls': count(told.toolCallsTotal), 'Turns without a price': count(told.unpricedTurns) };
    tiles.replaceChildren(...Object.entries(facts).map(([name, value]) => el('div', {}, el('dt', {}, name), el('dd', {}, value))));
    note.hidden = !told.isCut;
    const word = kWords[told.by];
    // Every day between is a bar, also where nobody talked; of others the ten with the most time.
    let bars = told.rows.slice(0, 10).map((row) => ({ ...row, name: nameOf(row[told.by], told.by) }));
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
        label: `${title}, by ${word.toLowerCase()}: ${bars.length} bars, the highest ${write(Math.max(...bars.map((bar) => bar[kind]), 0))}. The table below has the numbers.` }));
    };
    const seen = [['minutes', 'Minutes', minutes], ['cost', 'Cost', money]].filter(() => told.rows.length)
      .map(([kind, title, write]) => ({ kind, title, write, card: el('div', { class: 'card' }, el('h2', {}, title)) }));
    charts.replaceChildren(...seen.map(({ card }) => card));
    seen.forEach(draw);
    const list = table({ caption: `Usage by ${word.toLowerCase()}`, key: (row) => row[told.by], empty: 'Nothing was used in these days.',
      columns: [
        { title: word, head: true, cell: (row) => (told.by === 'user' ? el('span', {}, nameOf(row.user, 'user'), el('small', {}, row.user)) : row[told.by] || '(none)') },
        { title: 'Sessions', number: true, cell: (row) => count(row.sessions) },
        { title: 'Minutes', number: true, cell: (row) => minutes(row.minutes) },
        { title: 'Cost', number: true, cell: (row) => money(row.cost) },
        { title: 'Turns', number: true, cell: (row) => count(row.turns) },
        { title: 'Tokens of sound', number: true, cell: (row) => count(ofSound(row)) },
        { title: 'Tokens of text', number: true, cell: (row) => count(ofText(row)) },
      ] });
    list.fill(told.rows);
    place.replaceChildren(list.node);
  }
  return { load, once: true };
}
