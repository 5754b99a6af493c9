// What is typed as a number is taken as it is written, or not at all: "0,5" is no 5.
import { complain, el, field } from './dom.js';

const kMoney = /^\d{1,12}(\.\d{1,9})?$/;
/** One and a half, or one thousand five hundred: that depends on where one grew up. */
const kEither = /^[1-9]\d{0,2}\.\d{3}$/;

function wrongWith(text, isWhole, least, most) {
  if (!isWhole && kEither.test(text)) return `“${text}” can be read in two ways. Write it without a point, or with fewer or more than three digits behind it.`;
  if (isWhole && !/^\d{1,15}$/.test(text)) return `“${text}” is no whole number. Write digits alone, as 90.`;
  if (!isWhole && !kMoney.test(text)) return `“${text}” is no plain number. Write digits and a point, as 0.5 or 1200: no comma, no blank, no sign.`;
  if (Number(text) < least) return `It has to be ${least} or more.`;
  return Number(text) > most ? `It has to be ${most} or less.` : undefined;
}

/** A field for a number; empty is none. `check` says what is wrong, if anything is; `read` is what is in it, or undefined. */
export function numberField(label, value, { isWhole = true, least = 0, most = Number.MAX_SAFE_INTEGER, hint } = {}) {
  const before = value === undefined ? '' : String(value);
  const input = el('input', { type: 'text', inputmode: isWhole ? 'numeric' : 'decimal', autocomplete: 'off', spellcheck: 'false', value: before });
  const node = field(label, input, hint);
  const text = () => input.value.trim();
  input.addEventListener('input', () => complain(input));
  return { node, input, text,
    check() {
      const wrong = text() === '' || text() === before ? undefined : wrongWith(text(), isWhole, least, most);
      complain(input, wrong);
      return wrong === undefined;
    },
    read: () => (text() === '' ? undefined : text() === before ? value : Number(text())) };
}
