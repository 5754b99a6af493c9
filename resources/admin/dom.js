// Everything that is shown is made here: texts are texts, never markup.
import { isolated, shown } from './names.js';

/** An element. `attributes`: `on` holds listeners, `class` the classes; false and undefined leave an attribute out. */
export function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === 'on') for (const [event, listener] of Object.entries(value)) made.addEventListener(event, listener);
    else if (value !== false && value !== undefined && value !== null) made.setAttribute(name, value === true ? '' : value);
  }
  made.append(...children.filter((child) => child !== undefined && child !== null));
  return made;
}

export function svg(tag, attributes = {}, ...children) {
  const made = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

let lastId = 0;
/** A control with its label, a hint below it, and below that what is wrong with it (`complain`). */
export function field(label, control, hint) {
  const id = `field-${++lastId}`;
  control.id = id;
  const parts = [el('label', { for: id }, label), control];
  if (hint) {
    control.setAttribute('aria-describedby', `${id}-hint`);
    parts.push(el('span', { id: `${id}-hint` }, hint));
  }
  return el('div', { class: 'field' }, ...parts);
}

/** Says below a field what is wrong with it; nothing: it is right now. */
export function complain(control, text) {
  const id = `${control.id}-wrong`;
  document.getElementById(id)?.remove();
  const others = (control.getAttribute('aria-describedby') ?? '').split(' ').filter((one) => one && one !== id);
  if (text) {
    control.after(el('span', { id, class: 'wrong' }, text));
    control.setAttribute('aria-invalid', 'true');
  } else {
    control.removeAttribute('aria-invalid');
  }
  const all = [...(text ? [id] : []), ...others];
  if (all.length) control.setAttribute('aria-describedby', all.join(' '));
  else control.removeAttribute('aria-describedby');
}

/**
 * A table whose rows stay where they are while their contents change, so that nobody loses their place.
 * columns: [{ title, number, head, cell: (row) => text or node, key: (row) => text that tells whether the cell has changed }]
 * What cannot be asked for again is greyed and says of when it is (`stale`); that nothing is known is never told as "there is nothing" (`forget`).
 */
export function table({ caption, columns, key, empty }) {
  const body = el('tbody', { role: 'rowgroup' });
  const word = el('p', { class: 'empty' }, 'Being asked for…');
  const nothing = el('div', {}, el('h2', {}, caption), word);
  const ofWhen = el('small', { class: 'of-when', hidden: true });
  let takenAt;
  const whole = el('table', { class: 'rows', role: 'table', hidden: true },
    el('caption', {}, caption, ofWhen),
    el('thead', { role: 'rowgroup' }, el('tr', { role: 'row' }, ...columns.map((column) =>
      el(column.title ? 'th' : 'td', { ...(column.title && { scope: 'col', role: 'columnheader' }), class: column.number && 'number' }, column.title ?? '')))),
    body);
  const known = new Map();
  const cellOf = (column, row) => {
    const cell = el(column.head ? 'th' : 'td', { role: column.head ? 'rowheader' : 'cell', ...(column.head && { scope: 'row' }),
      class: column.number ? 'number' : column.title ? undefined : 'act', 'data-label': column.title || undefined });
    cell.append(el('div', {}, column.cell(row)));
    return cell;
  };
  const fill = (rows) => {
    const wanted = new Set(rows.map(key));
    for (const [id, entry] of known) {
      if (!wanted.has(id)) {
        entry.line.remove();
        known.delete(id);
      }
    }
    let before = null;
    for (const row of rows) {
      const id = key(row);
      let entry = known.get(id);
      if (!entry) {
        entry = { line: el('tr', { role: 'row' }), said: [] };
        known.set(id, entry);
      }
      columns.forEach((column, index) => {
        const said = column.key ? column.key(row) : JSON.stringify(row);
        if (entry.said[index] === said) return;
        entry.said[index] = said;
        const cell = cellOf(column, row);
        if (entry.line.cells[index]) entry.line.cells[index].replaceWith(cell);
        else entry.line.append(cell);
      });
      const place = before ? before.nextSibling : body.firstChild;
      if (place !== entry.line) body.insertBefore(entry.line, place);
      before = entry.line;
    }
    whole.hidden = rows.length === 0;
    nothing.hidden = rows.length > 0;
    word.textContent = empty;
    takenAt = new Date();
    ofWhen.hidden = true;
    node.classList.remove('stale');
  };
  const node = el('div', { class: 'card' }, whole, nothing);
  const forget = (why = 'Not known.') => {
    fill([]);
    word.textContent = why;
    takenAt = undefined;
  };
  const stale = () => {
    if (!takenAt) {
      word.textContent = 'Not known.';
      return;
    }
    node.classList.add('stale');
    ofWhen.textContent = `Last known, at ${clockTime(takenAt)}`;
    ofWhen.hidden = false;
    if (whole.hidden) word.textContent = `Last known, at ${clockTime(takenAt)}: ${empty}`;
  };
  return { node, fill, forget, stale };
}

const toldOf = ({ code, message }) => `${code} ${message}`;
/** A line that says what went wrong, with the code to look for. */
export function faultLine(problem, again) {
  return el('div', { class: 'fault', role: 'alert', 'data-code': problem.code, 'data-told': toldOf(problem) }, el('span', {}, problem.message), el('code', {}, problem.code),
    again && el('button', { type: 'button', on: { click: again } }, 'Try again'));
}

/**
 * What `work` made; or says why it could not. `again`: what the button for another attempt does, where there is to be one. `lists` are
 * of some time ago then.
 */
export async function attempt(place, work, again, lists = []) {
  try {
    const result = await work();
    place.replaceChildren();
    // Whoever answers can be reached: nobody is told otherwise any longer.
    for (const line of document.querySelectorAll('.fault[data-code=network]')) line.remove();
    return result;
  } catch (problem) {
    if (!problem.code) throw problem;
    for (const list of lists) list.stale();
    // Said once: somebody who listens need not hear it every few seconds.
    if (place.firstChild?.dataset?.told !== toldOf(problem)) place.replaceChildren(faultLine(problem, again));
    return undefined;
  }
}

/** Numbers with their names. */
export function tileList(facts = {}) {
  const node = el('dl', { class: 'tiles' });
  const values = new Map();
  /** Of those that are there what has changed, so that nobody hears or sees all of it again. */
  const fill = (told) => {
    for (const [name, value] of Object.entries(told)) {
      if (!values.has(name)) {
        values.set(name, el('dd', {}));
        node.append(el('div', {}, el('dt', {}, name), values.get(name)));
      }
      if (values.get(name).textContent !== value) values.get(name).textContent = value;
    }
    node.classList.remove('stale');
  };
  fill(facts);
  return { node, fill, stale: () => node.classList.add('stale') };
}

/** A field that narrows a list down, and says how much of it is left. `onChange` is given what is looked for, in small letters. */
export function finder(label, onChange) {
  const input = el('input', { type: 'search', autocomplete: 'off', spellcheck: 'false' });
  const told = el('p', { class: 'small soft', role: 'status' });
  let waiting;
  input.addEventListener('input', () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => onChange(input.value.trim().toLowerCase()), 200);
  });
  const form = el('form', { class: 'line', role: 'search', 'aria-label': label, on: { submit: (event) => event.preventDefault() } }, field(label, input), told);
  return { node: form, value: () => input.value.trim().toLowerCase(), tell: (text) => { if (told.textContent !== text) told.textContent = text; } };
}

let clearing;
/** Says it once, to eyes and ears. */
export function say(text) {
  const status = document.getElementById('status');
  status.textContent = text;
  clearTimeout(clearing);
  clearing = setTimeout(() => { status.textContent = ''; }, 6000);
}

/** Whether the person at the page means it. */
export function confirmed({ title, text, action, cancel = 'Cancel' }) {
  return new Promise((resolve) => {
    const heading = el('h2', { id: 'dialog-title' }, title);
    const dialog = el('dialog', { 'aria-labelledby': 'dialog-title', 'aria-describedby': 'dialog-text' });
    const leave = (answer) => {
      dialog.close();
      dialog.remove();
      resolve(answer);
    };
    dialog.append(el('div', { class: 'stack' }, heading, el('p', { id: 'dialog-text' }, text), el('div', { class: 'line' },
      el('button', { type: 'button', autofocus: true, on: { click: () => leave(false) } }, cancel),
      el('button', { type: 'button', class: 'danger main', on: { click: () => leave(true) } }, action))));
    dialog.addEventListener('cancel', (event) => {
      event.preventDefault();
      leave(false);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

const whole = new Intl.NumberFormat('en');
const tenths = new Intl.NumberFormat('en', { minimumFractionDigits: 1, maximumFractionDigits: 1 });
export const count = (value) => whole.format(value ?? 0);
export const minutes = (value) => tenths.format(value ?? 0);
/** Small sums keep the digits that tell them from nothing. */
export const money = (value) => new Intl.NumberFormat('en', { style: 'currency', currency: 'USD',
  maximumFractionDigits: value !== 0 && Math.abs(value) < 1 ? 4 : 2 }).format(value ?? 0);
/** Whole billionths of a dollar. */
export const nanoMoney = (value) => money((value ?? 0) / 1e9);
/** A whole number of the smallest unit: "EUR 12.30". */
export const amount = (value, { code, digits }) => `${code} ${new Intl.NumberFormat('en', { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value / 10 ** digits)}`;
export const moment = (text) => (text ? new Date(text).toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'medium' }) : '');
export const clockTime = (date) => date.toLocaleTimeString('en-GB');
const offset = (date) => {
  const minutes = -date.getTimezoneOffset();
  const two = (value) => String(value).padStart(2, '0');
  return minutes === 0 ? 'UTC' : `UTC${minutes < 0 ? '−' : '+'}${two(Math.floor(Math.abs(minutes) / 60))}:${two(Math.abs(minutes) % 60)}`;
};
export const zoneName = () => Intl.DateTimeFormat().resolvedOptions().timeZone;
/** Of what zone times and days on the page are. */
export function zoneSentence() {
  const [name, now] = [zoneName(), offset(new Date())];
  return now === 'UTC' ? 'Times, days and months are those of UTC.'
    : `Times are those of ${name}${name.includes('UTC') ? '' : ` (${now})`}. Days and months of usage, budgets and bills are those of UTC.`;
}
/** "1 h 5 min". */
export function duration(seconds) {
  const hours = Math.floor(seconds / 3600);
  const left = Math.floor((seconds % 3600) / 60);
  if (hours >= 48) return `${Math.floor(hours / 24)} days`;
  if (hours > 0) return `${hours} h ${left} min`;
  return left > 0 ? `${left} min` : `${Math.floor(seconds)} s`;
}
/** A name, and below it who vouches for it. */
export function person({ subject, issuer, user }) {
  const made = el('span', {}, subject || user ? nameOf(subject || user) : 'the embedded app');
  if (issuer) made.append(el('small', {}, nameOf(issuer.replace(/^https?:\/\//, ''))));
  return made;
}
/** A name that somebody else chose: on its own, so that it turns nothing around it, and with all that is in it to be seen. */
export const nameOf = (text) => el('bdi', {}, shown(text));
/** The same within a sentence. */
export const inWords = isolated;
export { shown };
const kStates = { ok: 'Works', degraded: 'Works, but narrower', failing: 'Does not answer', unknown: 'Not asked yet' };
export const stateMark = (state, words = kStates[state] ?? state) => el('span', { class: `state ${state}` }, words);
