// Everything that is shown is made here: texts are texts, never markup.

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
/** A control with its label, and a hint below it. */
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

/**
 * A table whose rows stay where they are while their contents change, so that nobody loses their place.
 * columns: [{ title, number, head, cell: (row) => text or node, key: (row) => text that tells whether the cell has changed }]
 */
export function table({ caption, columns, key, empty }) {
  const body = el('tbody', { role: 'rowgroup' });
  const nothing = el('div', {}, el('h2', {}, caption), el('p', { class: 'empty' }, empty));
  const whole = el('table', { class: 'rows', role: 'table' },
    el('caption', {}, caption),
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
  };
  fill([]);
  return { node: el('div', { class: 'card' }, whole, nothing), fill };
}

/** A line that says what went wrong, with the code to look for. */
export function faultLine(problem, again) {
  return el('div', { class: 'fault', role: 'alert' }, el('span', {}, problem.message), el('code', {}, problem.code),
    again && el('button', { type: 'button', on: { click: again } }, 'Try again'));
}

/** Shows what `work` made, or why it could not. */
export async function attempt(place, work) {
  try {
    const result = await work();
    place.replaceChildren();
    return result;
  } catch (problem) {
    if (!problem.code) throw problem;
    place.replaceChildren(faultLine(problem, () => attempt(place, work)));
    return undefined;
  }
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
export function confirmed({ title, text, action }) {
  return new Promise((resolve) => {
    const heading = el('h2', { id: 'dialog-title' }, title);
    const dialog = el('dialog', { 'aria-labelledby': 'dialog-title', 'aria-describedby': 'dialog-text' });
    const leave = (answer) => {
      dialog.close();
      dialog.remove();
      resolve(answer);
    };
    dialog.append(el('div', { class: 'stack' }, heading, el('p', { id: 'dialog-text' }, text), el('div', { class: 'line' },
      el('button', { type: 'button', autofocus: true, on: { click: () => leave(false) } }, 'Cancel'),
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
export const moment = (text) => (text ? new Date(text).toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'medium' }) : '');
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
  const made = el('span', {}, subject || user || 'the embedded app');
  if (issuer) made.append(el('small', {}, issuer.replace(/^https?:\/\//, '')));
  return made;
}
export const stateMark = (state) => el('span', { class: `state ${state}` },
  { ok: 'Works', degraded: 'Works, but narrower', failing: 'Does not answer', unknown: 'Not asked yet' }[state] ?? state);
