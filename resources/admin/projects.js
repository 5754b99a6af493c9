import { attempt, complain, confirmed, count, el, field, finder, inWords, minutes, moment, money, nameOf, person, say, shown, table } from './dom.js';
import { ask, queryOf } from './api.js';
import { meter } from './charts.js';
import { numberField } from './numbers.js';

const kLists = [['providers', 'Providers'], ['models', 'Models'], ['voices', 'Voices'], ['tools', 'Functions']];
const kNumbers = [['longestSession', 'Longest session, seconds'], ['sessionsOfProject', 'Sessions at the same time'], ['sessionsPerUser', 'Sessions of one user']];
const kBudgets = ['project', 'user'].flatMap((who) => ['Day', 'Month'].flatMap((period) => [
  [`${who}DollarsPer${period}`, `${who === 'user' ? 'Each user' : 'Project'}, dollars a ${period.toLowerCase()}`],
  [`${who}MinutesPer${period}`, `${who === 'user' ? 'Each user' : 'Project'}, minutes a ${period.toLowerCase()}`]]));

function left(period, unit, write) {
  const budget = period[`budget${unit}`];
  const spent = period[`spent${unit}`];
  if (budget === undefined) return el('span', {}, write(spent), el('small', {}, 'no budget'));
  const said = `${write(period[`left${unit}`])} left of ${write(budget)}`;
  return el('span', {}, write(spent), el('small', {}, said), meter(spent, budget, said));
}

/** A list of names that may be used: any, or these, or none. */
function listField(word, value) {
  const how = el('select', { 'aria-label': `${word}: how many` }, el('option', { value: 'any' }, 'any'), el('option', { value: 'these' }, 'these'), el('option', { value: 'none' }, 'none'));
  const names = el('input', { type: 'text', value: value?.join(', ') ?? '', autocomplete: 'off', spellcheck: 'false', 'aria-label': `${word}: names with commas between them` });
  how.value = value === undefined ? 'any' : value.length ? 'these' : 'none';
  const adapt = () => { names.hidden = how.value !== 'these'; };
  how.addEventListener('change', adapt);
  adapt();
  return { node: el('div', { class: 'field', role: 'group', 'aria-label': word }, el('span', {}, word), how, names),
    state: () => [how.value, names.value],
    read: () => ({ any: undefined, none: [], these: names.value.split(',').map((name) => name.trim()).filter(Boolean) }[how.value]) };
}

/** What a project's sessions may be; members that this page does not know stay as they are. */
function policyForm(policy) {
  const lists = kLists.map(([name, word]) => [name, listField(word, policy[name])]);
  const number = ([name, word]) => [name, numberField(word, policy[name], { isWhole: !name.includes('Dollars'), least: name === 'longestSession' ? 1 : 0 })];
  const numbers = kNumbers.map(number);
  const budgets = kBudgets.map(number);
  const relay = el('input', { type: 'checkbox', checked: Boolean(policy.relay) });
  const transcripts = el('input', { type: 'checkbox', checked: Boolean(policy.transcripts) });
  const days = numberField('Days for which it is kept', policy.transcriptDays, { least: 1, most: 3650, hint: 'Empty: as long as the broker keeps it; never longer.' });
  const fields = [...numbers, ...budgets, ['transcriptDays', days]];
  const instructions = el('textarea', {}, policy.instructions ?? '');
  const node = el('div', { class: 'stack' },
    el('fieldset', {}, el('legend', {}, 'Allowed'), el('div', { class: 'grid' }, ...lists.map(([, list]) => list.node))),
    el('fieldset', {}, el('legend', {}, 'Bounds'), el('div', { class: 'grid' }, ...numbers.map(([, one]) => one.node))),
    el('fieldset', {}, el('legend', {}, 'Budgets'), el('div', { class: 'grid' }, ...budgets.map(([, one]) => one.node))),
    field('Instructions for all of its sessions', instructions, 'Empty: everybody brings their own.'),
    el('label', { class: 'check' }, relay, 'Always through the relay'),
    el('label', { class: 'check' }, transcripts, 'Keep what is said through the relay, from the next sessions on'),
    days.node);
  /** Says of each number what is wrong with it, and takes the keyboard to the first. */
  const check = () => {
    const wrong = fields.filter(([, one]) => !one.check());
    wrong[0]?.[1].input.focus();
    return wrong.length === 0;
  };
  /** All that is filled in, to know whether something has changed. */
  const state = () => JSON.stringify([...lists.map(([, list]) => list.state()), ...fields.map(([, one]) => one.text()), relay.checked, transcripts.checked, instructions.value]);
  return { node, check, state, read() {
    const made = { ...policy };
    const put = (name, value) => { if (value === undefined) delete made[name]; else made[name] = value; };
    for (const [name, list] of lists) put(name, list.read());
    for (const [name, one] of fields) put(name, one.read());
    put('relay', relay.checked ? true : undefined);
    put('transcripts', transcripts.checked ? true : policy.transcripts === false ? false : undefined);
    put('instructions', instructions.value === '' ? undefined : instructions.value);
    return made;
  } };
}

const kWords = new Map([...kLists, ...kNumbers, ...kBudgets, ['relay', 'Always through the relay'], ['instructions', 'Instructions']]);
function said(value) {
  if (value === undefined) return 'any';
  if (Array.isArray(value)) return value.length ? shown(value.join(', ')) : 'none';
  return value === true ? 'yes' : shown(value);
}
const isSame = (one, other) => JSON.stringify(one) === JSON.stringify(other);

/** What differs between `mine` and `newer`, both made from `base`; and `newer` with what was changed in `mine`. */
function compare(base, mine, newer) {
  const names = [...new Set([...Object.keys(base), ...Object.keys(mine), ...Object.keys(newer)])].sort();
  const both = { ...newer };
  for (const name of names.filter((one) => !isSame(base[one], mine[one]))) {
    if (mine[name] === undefined) delete both[name];
    else both[name] = mine[name];
  }
  return { both, rows: names.filter((name) => !isSame(mine[name], newer[name])).map((name) => ({ name, was: base[name], newer: newer[name], mine: mine[name] })) };
}

const kListed = 1000;
/** So many are looked through, */
const kMostListed = 20_000;
/** so many are seen at once, */
const kMostShown = 100;
/** and of so many that were looked for the budgets are asked for. */
const kMostFound = 20;

/** What is wrong with a new project's name. */
function wrongNameOf(name) {
  if (!name) return 'Say what it is to be called.';
  return /^[!-~]+$/.test(name) ? undefined
    : `“${shown(name)}” cannot be a name: names are of visible ASCII characters without spaces, as choir-2.`;
}

/** Budgets and how much of each is left; projects, their policies and members. */
export function show(content, { keepsProjects }) {
  const [projectFaults, userFaults, listFaults, refusals] = [1, 2, 3, 4].map(() => el('div', {}));
  const budgetTable = (caption, title, name) => table({ caption, key: (row) => row.project ?? row.user, empty: 'Nothing was spent this month.',
    columns: [
      { title, head: true, cell: name },
      { title: 'Money today', cell: (row) => left(row.day, 'Dollars', money) },
      { title: 'Money this month', cell: (row) => left(row.month, 'Dollars', money) },
      { title: 'Minutes today', cell: (row) => left(row.day, 'Minutes', minutes) },
      { title: 'Minutes this month', cell: (row) => left(row.month, 'Minutes', minutes) },
    ] });
  const ofProjects = budgetTable('Budgets of projects', 'Project', (row) => (row.project ? nameOf(row.project) : '(none)'));
  const ofUsers = budgetTable('Budgets of users', 'User', person);
  const pager = (load) => {
    const state = { after: undefined, next: undefined };
    state.more = el('button', { type: 'button', disabled: true, on: { click: () => { state.after = state.next; load(); } } }, 'More');
    state.first = el('button', { type: 'button', disabled: true, on: { click: () => { state.after = undefined; load(); } } }, 'First');
    state.node = el('div', { class: 'line' }, state.first, state.more);
    state.took = (next) => { state.next = next; state.more.disabled = !next; state.first.disabled = state.after === undefined; state.node.hidden = !next && state.after === undefined; };
    return state;
  };
  const projectPages = pager(() => loadProjectBudgets());
  const userPages = pager(() => loadUserBudgets());
  const editor = el('div', {});
  /** What is being filled in: { unsaved: () => words or undefined }. */
  let edited;
  /** All projects, as the broker orders them. */
  let all = [];
  let areMore = false;
  let wanted = '';
  let question = 0;
  const id = el('input', { type: 'text', maxlength: 128, autocomplete: 'off', spellcheck: 'false' });
  const projects = table({ caption: 'Projects', key: (row) => row.id, empty: 'There is no such project.',
    columns: [
      { title: 'Project', head: true, cell: (row) => nameOf(row.id) },
      { title: 'Members', number: true, cell: (row) => count(row.members) },
      { title: 'Since', cell: (row) => moment(row.createdAt) },
      { title: '', cell: (row) => el('span', { class: 'line' },
        el('button', { type: 'button', 'aria-label': `Change ${inWords(row.id)}`, on: { click: async () => { if (await mayDrop()) edit(row); } } }, 'Change'),
        el('button', { type: 'button', 'aria-label': `Members of ${inWords(row.id)}`, on: { click: async () => { if (await mayDrop()) showMembers(row.id); } } }, 'Members'),
        el('button', { type: 'button', class: 'danger', 'aria-label': `Remove ${inWords(row.id)}`, on: { click: () => remove(row) } }, 'Remove')) },
    ] });
  const make = el('form', { class: 'line asking', on: { submit: async (event) => {
    event.preventDefault();
    const name = id.value.trim();
    const wrong = wrongNameOf(name);
    complain(id, wrong);
    if (wrong) id.focus();
    else if (await mayDrop()) edit({ id: name, policy: {}, isNew: true });
  } } }, field('New project', id, 'Letters, digits and marks of ASCII, without spaces: choir-2'), el('button', { class: 'main' }, 'Make'));
  id.addEventListener('input', () => complain(id));
  const find = finder('Find a project', (text) => {
    wanted = text;
    projectPages.after = undefined;
    showProjects();
    loadProjectBudgets();
  });
  content.replaceChildren(el('section', {}, el('h1', {}, 'Budgets and projects'), refusals, el('div', { class: 'card' }, find.node),
    projectFaults, ofProjects.node, projectPages.node, userFaults, ofUsers.node, userPages.node,
    ...(keepsProjects ? [listFaults, projects.node, el('div', { class: 'card' }, make), editor]
      : [el('p', { class: 'note' }, 'Projects are not kept here: projects.check in the broker\'s configuration says where. What they may is in its policies.')])));

  const unsaved = () => edited?.unsaved();
  const mayDrop = async () => !unsaved() || confirmed({ title: 'Leave without saving?', text: unsaved(), action: 'Leave it', cancel: 'Stay' });
  function shut() {
    edited = undefined;
    editor.replaceChildren();
  }

  function open(title, ...parts) {
    edited = undefined;
    const heading = el('h2', { tabindex: '-1' }, title);
    editor.replaceChildren(el('div', { class: 'card' }, heading, ...parts));
    heading.focus();
    return heading;
  }
  const closing = () => el('button', { type: 'button', on: { click: async () => { if (await mayDrop()) shut(); } } }, 'Close');

  /** `filled`: what the form has, where that is more than what the project has. */
  function edit(project, filled = project.policy) {
    const form = policyForm(filled);
    const fault = el('div', {});
    const save = async () => {
      try {
        return await ask('POST', 'api/admin/projects', { id: project.id, policy: form.read(), revision: project.revision ?? null });
      } catch (problem) {
        if (problem.code !== 'project_changed') throw problem;
        return { newer: (await ask('GET', `api/admin/projects${queryOf({ id: project.id })}`)).projects[0] ?? { id: project.id, policy: {}, isNew: true } };
      }
    };
    const clean = (filled === project.policy ? form : policyForm(project.policy)).state();
    const whole = el('form', { class: 'stack', on: { submit: async (event) => {
      event.preventDefault();
      if (!form.check()) return;
      const done = await attempt(fault, save);
      if (!done) return;
      if (done.newer) {
        settle(fault, project, form.read(), done.newer);
        return;
      }
      say(done.created ? `${inWords(project.id)} is made.` : `${inWords(project.id)} is changed. It holds from the next renewal on.`);
      shut();
      id.value = '';
      await load();
    } } }, form.node, fault, el('div', { class: 'line' }, el('button', { class: 'main' }, 'Save'), closing()));
    open(project.isNew ? `New project ${inWords(project.id)}` : `Policy of ${inWords(project.id)}`, whole);
    edited = { unsaved: () => (form.state() === clean ? undefined : `What you changed in the policy of ${inWords(project.id)} is not saved.`) };
  }

  /** Somebody else was faster: what they have made of it, beside what is in the form, which stays as it is until it is decided. */
  function settle(place, project, mine, newer) {
    const { both, rows } = compare(project.policy, mine, newer.policy);
    const what = newer.isNew ? 'has been removed meanwhile' : project.isNew ? 'has been made by somebody else meanwhile' : 'was changed by somebody else meanwhile';
    const differing = table({ caption: 'What differs', key: (row) => row.name, empty: 'It says what yours does.',
      columns: [
        { title: 'Setting', head: true, cell: (row) => kWords.get(row.name) ?? row.name },
        { title: 'When you began', cell: (row) => said(row.was) },
        { title: 'Now', cell: (row) => said(row.newer) },
        { title: 'Yours', cell: (row) => said(row.mine) },
      ] });
    differing.fill(rows);
    const heading = el('h3', { tabindex: '-1' }, `${inWords(project.id)} ${what}. Nothing of yours is saved yet.`);
    place.replaceChildren(el('div', { class: 'stack', role: 'group', 'aria-label': 'Somebody else was faster' }, heading, differing.node, el('div', { class: 'line' },
      el('button', { type: 'button', class: 'main', on: { click: () => edit(newer, both) } }, 'Put my changes into it'),
      newer.isNew ? undefined : el('button', { type: 'button', on: { click: () => edit(newer) } }, 'Take it as it is now'))));
    heading.focus();
    loadProjects();
  }

  async function remove(project) {
    const isMeant = await confirmed({ title: `Remove ${inWords(project.id)}?`, action: 'Remove the project',
      text: `Its ${count(project.members)} members lose it, and its sessions end at once. What was said in them is deleted; what it used stays in the ledger.` });
    if (!isMeant) return;
    const done = await attempt(refusals, () => ask('POST', 'api/admin/projects/remove', { id: project.id }));
    if (done) say(`${inWords(project.id)} is removed; ${count(done.ended)} sessions have ended.`);
    await load();
  }

  async function showMembers(project) {
    const fault = el('div', {});
    const user = el('input', { type: 'text', required: true, autocomplete: 'off', spellcheck: 'false' });
    const list = table({ caption: 'Members', key: (row) => row.user, empty: 'Nobody is a member yet.',
      columns: [{ title: 'User', head: true, cell: (row) => nameOf(row.user) },
        { title: 'May', cell: (row) => (row.isAdmin ? 'use it, and read its transcripts' : 'use it') },
        { title: '', cell: (row) => el('span', { class: 'line' },
          el('button', { type: 'button', 'aria-label': `${row.isAdmin ? 'No admin any more' : 'Make an admin'}: ${inWords(row.user)}`, on: { click: () => change('add', row.user, row.isAdmin ? 'member' : 'admin') } }, row.isAdmin ? 'No admin any more' : 'Make an admin'),
          el('button', { type: 'button', class: 'danger', 'aria-label': `Take ${inWords(row.user)} away`, on: { click: () => change('remove', row.user) } }, 'Take away')) }] });
    const refused = el('div', {});
    const pages = pager(() => read());
    const read = async () => {
      const told = await attempt(fault, () => ask('GET', `api/admin/projects/members${queryOf({ project, after: pages.after })}`), () => read(), [list]);
      if (!told) return;
      const admins = new Set(told.admins);
      list.fill(told.members.map((member) => ({ user: member, isAdmin: admins.has(member) })));
      pages.took(told.members.length === kListed ? told.members.at(-1) : undefined);
    };
    async function change(what, member, role) {
      const done = await attempt(refused, () => ask('POST', `api/admin/projects/members/${what}`, { project, user: member, ...(role && { role }) }));
      if (done) say(role === 'admin' ? 'They are an admin of the project now.' : role ? 'They are an admin of the project no more.' : what === 'add' ? 'A member was added.' : 'A member was taken away.');
      await read();
      await loadProjects();
    }
    const form = el('form', { class: 'line asking', on: { submit: (event) => { event.preventDefault(); change('add', user.value.trim()); } } },
      field('User', user, 'Kind, length of the issuer, issuer, subject, as in the list of blocks: 2:21:https://login.example:u1'), el('button', { class: 'main' }, 'Add'));
    open(`Members of ${inWords(project)}`, fault, refused, list.node, pages.node, form, el('div', { class: 'line' }, closing()));
    await read();
  }

  function showProjects() {
    const found = all.filter((row) => row.id.toLowerCase().includes(wanted));
    projects.fill(found.slice(0, kMostShown));
    const rest = areMore ? ` Only the first ${count(all.length)} projects are looked through.` : '';
    find.tell((found.length > kMostShown ? `The first ${count(kMostShown)} of ${count(found.length)} projects are shown: narrow it down to see the others.`
      : wanted ? `${count(found.length)} of ${count(all.length)} projects.` : '') + rest);
    return found;
  }

  async function loadProjects() {
    if (!keepsProjects) return true;
    const told = await attempt(listFaults, async () => {
      const had = [];
      let page;
      do {
        page = (await ask('GET', `api/admin/projects${queryOf({ after: had.at(-1)?.id })}`)).projects;
        had.push(...page);
      } while (page.length === kListed && had.length < kMostListed);
      return { had, areMore: page.length === kListed };
    }, () => load(), [projects]);
    if (!told) return false;
    [all, areMore] = [told.had, told.areMore];
    showProjects();
    return true;
  }

  const askBudgets = (values) => ask('GET', `api/admin/budgets${queryOf(values)}`);

  /** Of those that are looked for the first few: each is a question of its own to the ledger. Neighbours are asked for together. */
  async function foundBudgets() {
    if (!keepsProjects) {
      const had = [];
      let page;
      do {
        page = await askBudgets({ by: 'project', after: page?.next, limit: 100 });
        had.push(...page.budgets);
      } while (page.next && had.length < kMostListed);
      return had.filter((row) => row.project.toLowerCase().includes(wanted)).slice(0, kMostShown);
    }
    const places = all.map((row, index) => (row.id.toLowerCase().includes(wanted) ? index : -1)).filter((index) => index >= 0).slice(0, kMostFound);
    const runs = [];
    for (const place of places) {
      if (runs.length && runs.at(-1).end === place) ++runs.at(-1).end;
      else runs.push({ begin: place, end: place + 1 });
    }
    const had = [];
    for (const { begin, end } of runs) had.push(...(await askBudgets({ by: 'project', after: all[begin - 1]?.id, limit: end - begin })).budgets);
    // Somebody may have made one between them meanwhile.
    return had.filter((row) => row.project.toLowerCase().includes(wanted));
  }

  async function loadProjectBudgets() {
    const own = ++question;
    const told = await attempt(projectFaults, async () => (wanted ? { budgets: await foundBudgets() }
      : askBudgets({ by: 'project', after: projectPages.after, limit: 50 })), () => loadProjectBudgets(), [ofProjects]);
    if (own !== question) return true;
    if (!told) return false;
    ofProjects.fill(told.budgets);
    projectPages.took(told.next);
    return true;
  }
  async function loadUserBudgets() {
    const told = await attempt(userFaults, () => askBudgets({ by: 'user', after: userPages.after, limit: 50 }), () => loadUserBudgets(), [ofUsers]);
    if (!told) return false;
    ofUsers.fill(told.budgets);
    userPages.took(told.next);
    return true;
  }
  async function renew() {
    const areBoth = [await loadProjectBudgets(), await loadUserBudgets()];
    return areBoth.every(Boolean);
  }
  async function load() {
    const areThere = await loadProjects();
    return await renew() && areThere;
  }
  return { load, renew, unsaved, isOnce: true, spends: true };
}
