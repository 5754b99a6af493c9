import { amount, attempt, confirmed, count, el, field, finder, inWords, minutes, moment, nameOf, nanoMoney, say, table, tileList } from './dom.js';
import { ask, download, printable, Problem, queryOf } from './api.js';

/** So many rows are looked at; the others are found by their names. */
const kMostShown = 100;
/** Of invoices, to know which months have one. */
const kMostListed = 200;
const monthOf = (date) => date.toISOString().slice(0, 7);
const movedBy = (month, many) => {
  const [year, number] = month.split('-').map(Number);
  return monthOf(new Date(Date.UTC(year, number - 1 + many, 1)));
};
const monthName = (month) => new Date(`${month}-01T00:00:00Z`).toLocaleDateString('en-GB', { month: 'long', year: 'numeric', timeZone: 'UTC' });

/** What the broker says no with, for somebody who did not write its configuration. */
function inPlainWords(problem) {
  const words = {
    not_allowed: 'The broker\'s configuration does not say who bills, so it makes reports and previews only. [invoices] issuer says it.',
    not_found: problem.message === 'there is no such invoice' ? 'There is no such invoice.' : 'The project has nothing to bill in that month.',
    bad_request: { 'the month has not begun': 'That month has not begun.', 'the month is not over: ask for a preview': 'That month is not over yet, or has been for less than five minutes.',
      'the ledger does not go back so far (usage.keep_days)': 'The ledger does not go back so far: usage.keep_days in the configuration says how long it is kept.',
      'that is more than 200,000 lines: ask project by project': 'That is more than one answer holds: fill in a project.' }[problem.message],
  }[problem.code];
  return words ? new Problem(words, problem.code, problem.status) : problem;
}
const plainly = (work) => async () => {
  try {
    return await work();
  } catch (problem) {
    throw problem.code ? inPlainWords(problem) : problem;
  }
};

/** Shown in a window of its own, from where it is printed. It is opened at once: a browser lets none open later. */
async function openPage(faults, path) {
  const view = window.open('', '_blank');
  if (!view) {
    say('The browser did not let a window open.');
    return;
  }
  view.document.title = 'One moment…';
  const page = await attempt(faults, plainly(() => printable(path)));
  if (!page) {
    view.close();
    return;
  }
  // Behind a proxy that keeps a path to itself the style is below that.
  for (const link of page.querySelectorAll('link[rel=stylesheet]')) link.href = new URL('invoice.css', document.baseURI).href;
  view.document.replaceChild(view.document.adoptNode(page.documentElement), view.document.documentElement);
}

/** Reports by month, invoices, and the issuing of them. */
export function show(content) {
  const faults = el('div', {});
  const reportFaults = el('div', {});
  const invoiceFaults = el('div', {});
  const month = el('input', { type: 'month', value: monthOf(new Date()), required: true, pattern: '[0-9]{4}-[0-9]{2}', autocomplete: 'off' });
  const project = el('input', { type: 'text', autocomplete: 'off', spellcheck: 'false', maxlength: 128 });
  let asked = { month: month.value, project: '' };
  let report;
  let wanted = '';
  /** By month and project; only what is known: whether there is more is the broker's to say. */
  const issued = new Map();
  const numberOf = (row) => issued.get(`${asked.month} ${row.project}`);

  const open = (path) => openPage(faults, path);
  const saving = (path, name) => attempt(faults, plainly(() => download(path, name).then(() => true))).then((isDone) => { if (isDone) say('It is saved as a file.'); });
  const actions = (whole, path, name, word = 'Open') => [
    el('button', { type: 'button', 'aria-label': `${word} to print it${word === 'Open' ? `: ${whole}` : ''}`, on: { click: () => open(`${path}format=html`) } }, word),
    el('button', { type: 'button', 'aria-label': `Save ${whole} as CSV`, on: { click: () => saving(`${path}format=csv`, `${name}.csv`) } }, 'CSV'),
    el('button', { type: 'button', 'aria-label': `Save ${whole} as JSON`, on: { click: () => saving(`${path}format=json`, `${name}.json`) } }, 'JSON'),
  ];
  const tiles = tileList();
  const note = el('p', { class: 'note', hidden: true });
  const list = table({ caption: 'Projects', key: (row) => row.project, empty: 'Nothing was used in this month.',
    columns: [
      { title: 'Project', head: true, cell: (row) => (row.project ? nameOf(row.project) : '(none)') },
      { title: 'Sessions', number: true, cell: (row) => count(row.sessions) },
      { title: 'Minutes', number: true, cell: (row) => minutes(row.connectedMs / 60_000) },
      { title: 'Turns', number: true, cell: (row) => el('span', {}, count(row.turns), el('small', {}, row.unpricedTurns ? `${count(row.unpricedTurns)} without a price` : '')) },
      { title: 'Sum', number: true, cell: (row) => nanoMoney(row.nanoDollars) },
      { title: 'Invoice', cell: (row) => (row.number ? nameOf(row.number) : row.isOver ? 'not issued' : 'the month is not over') },
      { title: '', cell: (row) => el('span', { class: 'line' }, ...(row.project ? [
        el('button', { type: 'button', 'aria-label': `Preview of the invoice of ${inWords(row.project)}`,
          on: { click: () => open(`api/admin/invoices/preview${queryOf({ project: row.project, month: row.month, format: 'html' })}`) } }, 'Preview'),
        ...(row.isOver && !row.number ? [el('button', { type: 'button', 'aria-label': `Issue the invoice of ${inWords(row.project)}`, on: { click: () => issue(row.project, row.month) } }, 'Issue')] : []),
      ] : [])) },
    ] });
  const find = finder('Find a project', (text) => { wanted = text; fill(); });
  const move = (many) => () => {
    if (!/^\d{4}-\d\d$/.test(month.value)) return;
    month.value = movedBy(month.value, many);
    take();
  };
  const form = el('form', { class: 'stack', on: { submit: (event) => { event.preventDefault(); take(); } } },
    el('div', { class: 'grid' }, field('Month (UTC)', month, 'As 2026-11.'), field('Project', project, 'Empty: all of them.')),
    el('div', { class: 'line' }, el('button', { class: 'main' }, 'Show'),
      el('button', { type: 'button', on: { click: move(-1) } }, 'Month before'), el('button', { type: 'button', on: { click: move(1) } }, 'Month after')));
  const files = el('div', { class: 'line' });
  const head = el('div', { class: 'card' }, find.node, files);

  const pages = [];
  let next;
  const invoices = table({ caption: 'Invoices', key: (row) => row.number, empty: 'None was issued yet.',
    columns: [
      { title: 'Number', head: true, cell: (row) => nameOf(row.number) },
      { title: 'Month', cell: (row) => monthName(row.month) },
      { title: 'Project', cell: (row) => nameOf(row.project) },
      { title: 'Issued', cell: (row) => moment(row.issuedAt) },
      { title: 'Net', number: true, cell: (row) => amount(row.net, row.currency) },
      { title: 'Total', number: true, cell: (row) => el('span', {}, amount(row.total, row.currency), el('small', {}, row.taxBasisPoints ? `with ${row.taxBasisPoints / 100} % ${row.taxLabel}` : '')) },
      { title: '', cell: (row) => el('span', { class: 'line' }, ...actions(inWords(row.number), `api/admin/invoices/${encodeURIComponent(row.number)}?`, `invoice-${row.number.replace(/[^\w.-]/g, '_')}`)) },
    ] });
  const older = el('button', { type: 'button', disabled: true, on: { click: () => { pages.push(next); loadInvoices(); } } }, 'Older');
  const newest = el('button', { type: 'button', disabled: true, on: { click: () => { pages.length = 0; loadInvoices(); } } }, 'Newest');
  content.replaceChildren(el('section', {}, el('h1', {}, 'Bills'), faults, el('div', { class: 'card' }, form), reportFaults, tiles.node, note,
    head, list.node, invoiceFaults, invoices.node, el('div', { class: 'line' }, newest, older)));

  function take() {
    if (!/^\d{4}-(0[1-9]|1[0-2])$/.test(month.value)) {
      say('Write the month as 2026-11.');
      month.focus();
      return;
    }
    asked = { month: month.value, project: project.value.trim() };
    report = undefined;
    list.forget('Being asked for…');
    fill();
    load();
  }

  function fill() {
    [note.hidden, head.hidden, tiles.node.hidden] = [!report || report.isOver, !report, !report];
    if (!report) return;
    const found = report.projects.filter((row) => row.project.toLowerCase().includes(wanted));
    find.tell(found.length > kMostShown ? `The first ${count(kMostShown)} of ${count(found.length)} are shown: narrow it down to see the others.`
      : wanted ? `${count(found.length)} of ${count(report.projects.length)}.` : '');
    list.fill(found.slice(0, kMostShown).map((row) => ({ ...row, month: report.month, isOver: report.isOver, number: numberOf(row) })));
  }

  async function loadReport() {
    const { month: wantedMonth, project: one } = asked;
    const told = await attempt(reportFaults, plainly(() => ask('GET', `api/admin/reports/${wantedMonth}${queryOf({ project: one })}`)), load, [list, tiles]);
    if (!told) return false;
    // Its lines may be many, and are in the files.
    report = { ...told, projects: told.projects.map(({ lines, ...row }) => row) };
    note.textContent = `${monthName(report.month)} is not over: this is what it has come to so far. It can be billed five minutes after its end.`;
    tiles.fill({ Month: monthName(report.month), Sum: nanoMoney(report.nanoDollars), 'Projects with usage': count(report.projects.length),
      'Turns without a price': count(report.projects.reduce((sum, row) => sum + row.unpricedTurns, 0)) });
    files.replaceChildren(...actions(`the report of ${monthName(report.month)}`, `api/admin/reports/${report.month}${queryOf({ project: one })}${one ? '&' : '?'}`, `usage-${report.month}`, 'Open the report'));
    fill();
    return true;
  }

  async function loadInvoices() {
    const before = pages.at(-1);
    const told = await attempt(invoiceFaults, plainly(() => ask('GET', `api/admin/invoices${queryOf({ before, limit: before ? 50 : kMostListed })}`)), load, [invoices]);
    if (!told) return false;
    for (const one of told.invoices) issued.set(`${one.month} ${one.project}`, one.number);
    const seen = told.invoices.slice(0, 50);
    next = seen.length < told.invoices.length ? seen.at(-1).sequence : told.before;
    older.disabled = !next;
    newest.disabled = !before;
    invoices.fill(seen);
    fill();
    return true;
  }

  async function load() {
    const areBoth = [await loadInvoices(), await loadReport()];
    return areBoth.every(Boolean);
  }

  async function issue(whose, when) {
    const preview = await attempt(faults, plainly(() => ask('GET', `api/admin/invoices/preview${queryOf({ project: whose, month: when })}`)));
    if (!preview) return;
    const isMeant = await confirmed({ title: `Issue the invoice of ${inWords(whose)} for ${monthName(when)}?`, action: 'Issue it for good',
      text: `It comes to ${amount(preview.total, preview.currency)}${preview.tax ? `, ${amount(preview.tax, preview.currency)} of it ${preview.taxLabel}` : ''}. `
        + 'It gets the next number, and numbers are for good: an invoice cannot be changed, taken back or issued again.' });
    if (!isMeant) return;
    const done = await attempt(faults, plainly(() => ask('POST', 'api/admin/invoices', { project: whose, month: when })));
    if (!done) return;
    say(done.isNew ? `${inWords(done.number)} is issued.` : `It was issued already, as ${inWords(done.number)}.`);
    issued.set(`${when} ${whose}`, done.number);
    pages.length = 0;
    await loadInvoices();
  }
  fill();
  return { load, lists: [list, invoices, tiles], isOnce: true };
}
