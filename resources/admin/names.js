// Names come from users, issuers and other admins: what they are made of is to be seen, whatever they are made of.

/** Whatever is no mark of its own: controls, formats (among them those that turn the direction of text), unassigned, and blanks that are no blank. */
const kUnseen = /(?! )[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}]/gu;
/** Written from right to left: within a sentence it would take punctuation and numbers along. */
const kTurned = /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}\p{Script=Samaritan}\p{Script=Mandaic}\p{Script=Adlam}]/u;

/** With what cannot be seen written out: "‹U+202E›". */
export const shown = (text) => String(text ?? '').replace(kUnseen, (mark) => `‹U+${mark.codePointAt(0).toString(16).toUpperCase().padStart(4, '0')}›`);

/** The same for the middle of a sentence, and for labels: it turns nothing but itself. */
export function isolated(text) {
  const whole = shown(text);
  return kTurned.test(whole) ? `\u2068${whole}\u2069` : whole;
}
