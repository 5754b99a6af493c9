import { clockTime, confirmed, el, inWords, say, zoneSentence } from './dom.js';
import { enter, listen, signOut, whenSignedOut } from './api.js';
import { signIn } from './sign_in.js';
import { askChannels, failing, show as alerts } from './alerts.js';
import { show as now } from './now.js';
import { show as usage } from './usage.js';
import { show as projects } from './projects.js';
import { show as bills } from './bills.js';
import { show as transcripts } from './transcripts.js';
import { show as security } from './security.js';
import { show as health } from './health.js';
import { show as audit } from './audit.js';

/**
 * Each makes what is shown of it, and tells how that is kept up to date:
 * load: asks for all of it, true where all of it came; renew: for what changes when money is spent, where that is less; lists: what is greyed where it is no longer true;
 * update, takeChannels: take what is told without being asked for; isOnce: what somebody reads or fills in there is not pulled away from under them; isLive: whatever
 * changes is told by the broker; spends: what was spent changes it; unsaved: what would be lost, in words.
 */
const kSections = { now: ['Now', now], usage: ['Usage', usage], budgets: ['Budgets', projects], bills: ['Bills', bills], transcripts: ['Transcripts', transcripts],
  security: ['Security', security], alerts: ['Alerts', alerts], health: ['Health', health], audit: ['Audit', audit] };
/** What changes all the time is asked for no more often. */
const kReloadEvery = 3000;
const kRenewEvery = 5000;
/** What changes without news: times, waiting lines, alerts. */
const kLookEvery = 15_000;

const content = document.getElementById('content');
const nav = document.getElementById('sections');
const live = document.getElementById('live');
const refresh = document.getElementById('refresh');
const leave = document.getElementById('sign-out');

let visit;
let section;
let loadedAt = 0;
let isLoading = false;
let isWanted = false;
let waiting;

document.getElementById('zone').textContent = zoneSentence();
leave.addEventListener('click', async () => { if (await mayLeave()) signOut(); });
refresh.addEventListener('click', async () => { if (await reload()) say('Read anew.'); });
window.addEventListener('beforeunload', (event) => { if (section?.unsaved?.()) event.preventDefault(); });

/** Whether what is filled in may be lost. */
async function mayLeave() {
  const unsaved = section?.unsaved?.();
  return !unsaved || confirmed({ title: 'Leave without saving?', text: unsaved, action: 'Leave it', cancel: 'Stay' });
}

/** "Live" only where it is; elsewhere of when it is. */
function tellLive() {
  const since = visit?.lostAt && clockTime(visit.lostAt);
  let text = '';
  if (section?.isLive) text = since ? `Not live since ${since}: trying again` : visit.isLive ? 'Live' : '';
  else if (section) text = `${section.asOf ? `As of ${clockTime(section.asOf)}` : 'Not read yet'}${since ? '. The broker cannot be reached' : ''}`;
  if (live.textContent !== text) live.textContent = text;
  refresh.hidden = !section || section.isLive === true;
}

async function reload(isRenewal = false) {
  if (!section) return false;
  if (isLoading) {
    isWanted = true;
    return false;
  }
  const own = section;
  isLoading = true;
  loadedAt = Date.now();
  let isWhole = false;
  try {
    isWhole = await (isRenewal && own.renew ? own.renew() : own.load());
  } finally {
    if (own === section) isLoading = false;
  }
  if (own !== section) return false;
  own.isFlawed = !isWhole;
  if (isWhole) own.asOf = new Date();
  tellLive();
  if (isWanted) {
    isWanted = false;
    reloadSoon(kReloadEvery);
  }
  return isWhole;
}

function reloadSoon(every, isRenewal = false) {
  if (waiting) return;
  waiting = setTimeout(() => {
    waiting = undefined;
    reload(isRenewal);
  }, Math.max(loadedAt + every - Date.now(), 0));
}

const kShown = () => (visit?.isReader ? { transcripts: kSections.transcripts } : kSections);

async function open({ isFirst } = {}) {
  if (!visit) return;
  const asked = location.hash.slice(1);
  const names = kShown();
  if (!isFirst && !(asked in names)) return;
  const name = asked in names ? asked : Object.keys(names)[0];
  if (name === visit.name && section?.unsaved?.()) return;
  if (section?.unsaved?.()) {
    // The address is that of what is seen until it is decided.
    history.replaceState(null, '', `#${visit.name}`);
    const own = section;
    if (!(await mayLeave()) || own !== section) return;
    history.replaceState(null, '', `#${name}`);
  }
  for (const link of nav.children) {
    if (link.hash === `#${name}`) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  document.title = `${names[name][0]} – Vivavoce broker`;
  clearTimeout(waiting);
  [waiting, isLoading, isWanted] = [undefined, false, false];
  visit.name = name;
  section = names[name][1](content, visit.overview ?? {}, { isReader: visit.isReader });
  if (visit.overview) section.update?.(visit.overview);
  if (visit.channels) section.takeChannels?.(visit.channels);
  if (visit.lostAt && section.isLive) section.lists?.forEach((list) => list.stale());
  tellLive();
  if (!isFirst) content.focus();
  await reload();
}
window.addEventListener('hashchange', () => open());

function takeOverview(told) {
  const spent = (overview) => JSON.stringify([overview?.today?.cost, overview?.today?.minutes, overview?.today?.sessions]);
  const isSpent = spent(visit.overview) !== spent(told);
  visit.overview = told;
  section?.update?.(told);
  if (section && !section.isOnce) reloadSoon(kReloadEvery);
  else if (section?.spends && isSpent) reloadSoon(kRenewEvery, true);
}

function takeState(state) {
  const wasLost = visit.lostAt;
  visit.isLive = state === 'live';
  if (visit.isLive) visit.lostAt = undefined;
  else visit.lostAt ??= new Date();
  if (!wasLost && visit.lostAt && section?.isLive) section.lists?.forEach((list) => list.stale());
  // What could not be had while it was away can be had now.
  if (wasLost && visit.isLive && section && (section.isLive || section.isFlawed)) reload();
  tellLive();
}

/** Channels that fail are seen wherever one is, and heard of once. */
async function lookAtAlerts() {
  const own = visit;
  const channels = await askChannels().catch(() => undefined);
  if (!channels || own !== visit) return;
  const before = new Set(failing(own.channels ?? []).map(({ channel }) => channel));
  own.channels = channels;
  section?.takeChannels?.(channels);
  const bad = failing(channels);
  const link = [...nav.children].find(({ hash }) => hash === '#alerts');
  const text = bad.length ? `${bad.length} ${bad.length === 1 ? 'channel fails' : 'channels fail'}` : '';
  if ((link.querySelector('.badge')?.textContent ?? '') !== text) link.replaceChildren('Alerts', ...(text ? [' ', el('span', { class: 'badge' }, text)] : []));
  const news = bad.filter(({ channel }) => !before.has(channel));
  if (news.length) say(`Alerts do not arrive: ${news.map(({ channel }) => inWords(channel)).join(', ')}.`);
}

setInterval(() => {
  if (!visit?.overview || document.hidden) return;
  lookAtAlerts();
  if (section && !section.isOnce) reload();
}, kLookEvery);

async function begin(why) {
  visit?.listening?.abort();
  clearTimeout(waiting);
  [nav.hidden, leave.hidden, section, visit, waiting] = [true, true, undefined, undefined, undefined];
  tellLive();
  document.title = 'Vivavoce broker';
  const own = { listening: new AbortController(), ...await signIn(content, why) };
  visit = own;
  enter();
  nav.replaceChildren(...Object.entries(kShown()).map(([name, [title]]) => el('a', { href: `#${name}` }, title)));
  [nav.hidden, leave.hidden] = [false, false];
  if (!own.isReader) lookAtAlerts();
  await open({ isFirst: true });
  if (own.isReader || own !== visit) return;
  const ifHere = (take) => (told) => { if (own === visit) take(told); };
  listen(ifHere(takeOverview), ifHere(takeState), own.listening.signal);
}
whenSignedOut((why) => begin(why));
begin();
