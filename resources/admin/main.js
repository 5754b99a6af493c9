import { el } from './dom.js';
import { enter, listen, signOut, whenSignedOut } from './api.js';
import { signIn } from './sign_in.js';
import { show as now } from './now.js';
import { show as usage } from './usage.js';
import { show as projects } from './projects.js';
import { show as transcripts } from './transcripts.js';
import { show as security } from './security.js';
import { show as health } from './health.js';
import { show as audit } from './audit.js';

const kSections = { now: ['Now', now], usage: ['Usage', usage], budgets: ['Budgets', projects], transcripts: ['Transcripts', transcripts], security: ['Security', security], health: ['Health', health], audit: ['Audit', audit] };
/** What changes all the time is asked for no more often. */
const kReloadEvery = 3000;
/** What changes without news: times, waiting lines. */
const kLookEvery = 15_000;

const content = document.getElementById('content');
const nav = document.getElementById('sections');
const live = document.getElementById('live');
const leave = document.getElementById('sign-out');

let overview;
let section;
let listening;
let loadedAt = 0;
let isLoading = false;
let waiting;

for (const [name, [title]] of Object.entries(kSections)) nav.append(el('a', { href: `#${name}` }, title));
leave.addEventListener('click', () => signOut());

async function reload() {
  if (isLoading || !section) return;
  isLoading = true;
  loadedAt = Date.now();
  try {
    await section.load();
  } finally {
    isLoading = false;
  }
}

async function open({ isFirst } = {}) {
  if (!overview) return;
  const asked = location.hash.slice(1);
  if (!isFirst && !(asked in kSections)) return;
  const name = asked in kSections ? asked : 'now';
  for (const link of nav.children) {
    if (link.hash === `#${name}`) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  document.title = `${kSections[name][0]} – Vivavoce broker`;
  section = kSections[name][1](content, overview);
  section.update?.(overview);
  if (!isFirst) content.focus();
  isLoading = false;
  await reload();
}
window.addEventListener('hashchange', () => open());

function takeOverview(told) {
  overview = told;
  section?.update?.(told);
  // What somebody is reading or filling in is not pulled away from under them.
  if (section?.once || waiting) return;
  waiting = setTimeout(() => {
    waiting = undefined;
    if (!section?.once) reload();
  }, Math.max(loadedAt + kReloadEvery - Date.now(), 0));
}

setInterval(() => {
  if (overview && !section?.once && !document.hidden) reload();
}, kLookEvery);

async function begin(why) {
  listening?.abort();
  [nav.hidden, leave.hidden, live.textContent, section, overview] = [true, true, '', undefined, undefined];
  document.title = 'Vivavoce broker';
  overview = await signIn(content, why);
  enter();
  [nav.hidden, leave.hidden] = [false, false];
  await open({ isFirst: true });
  const own = new AbortController();
  listening = own;
  const names = { live: 'Live', waiting: 'Not live: trying again' };
  listen(takeOverview, (state) => { if (live.textContent !== names[state]) live.textContent = names[state]; }, own.signal);
}
whenSignedOut((why) => begin(why));
begin();
