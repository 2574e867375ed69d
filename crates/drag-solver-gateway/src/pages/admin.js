// The administrator's page: shows how the gateway is getting on, and the details of one job.
// Everything that comes over the wire is put on the page as text (textContent), never as markup.

import { $, SignIn, setText, show, store } from './base.js';

// ---------------------------------------------------------------- words

const TEXTS = {
  en: {
    title: 'Drag gateway', tools: 'Tools', signOut: 'Sign out', overview: 'Overview', close: 'Close', chain: 'Chain',
    signInTitle: 'Drag gateway', signInText: 'Sign in with an administrator’s key to see how the gateway is getting on.',
    key: 'Your key', remember: 'Stay signed in on this device', signIn: 'Sign in', signingIn: 'Signing in…',
    keyMissing: 'Please type your key.', keyWrong: 'This is not an administrator’s key. Please check it and try again.',
    unreachable: 'The server does not answer. Trying again…', signedOut: 'You are signed out.',
    connecting: 'Connecting…', connected: 'Connected', lost: 'Cannot be reached', stopping: 'Stopping',
    up: 'up for {time}', version: 'Version {version}', lastNews: 'last news {time} ago', ago: '{time} ago',
    seconds: '{n} s', minutes: '{n} min {m} s', hours: '{n} h {m} min', days: '{n} d {m} h', ms: '{n} ms',
    openJobs: 'Open jobs', working: '{n} being worked on', solvedHour: 'Solved in the last hour', atLeast: '{n} or more',
    notSolved: '{n} without an answer', spentToday: 'Spent today', in30Days: '{money} in 14 days',
    operatorsHere: 'Operators here', pictures: '{waiting} pictures waiting, {hand} on screens', noOperators: 'no operators in this chain',
    liveTitle: 'Open jobs', liveEmpty: 'Nothing is open. A job appears here as soon as a client sends one.', oldest: 'The oldest {n} of {all}',
    endedTitle: 'Last jobs', endedEmpty: 'No job has ended yet. The last 50 will be here.',
    job: 'Job', jobKey: 'Key', protocol: 'Protocol', age: 'Age', doing: 'Getting on', outcome: 'Outcome', solver: 'Solver', took: 'Took', cost: 'Cost', ended: 'Ended',
    showAll: 'Show all {n}', showFewer: 'Show fewer', state_queued: 'Queued', state_working: 'Working',
    waitingFor: 'waiting for {what}', asking: 'asking {what}', boughtAt: 'bought at {what}', wait_operator: 'an operator', wait_permit: 'a free place',
    solversTitle: 'Solvers', solversEmpty: 'No solvers yet: name one in the file of “drag-solver serve --config FILE”.',
    circuit: 'Circuit', inFlight: 'In flight', success: 'Success', median: 'Median', p95: '95 %', latencies: 'Latencies', today: 'Today', month: '14 days', lastError: 'Last error',
    circuit_closed: 'Closed', circuit_open: 'Open', circuit_half_open: 'Half open', nextTry: 'tries again in {n} s', trying: 'trying one job',
    of: '{n} of {all}', sparkline: 'The last {n} answers took from {low} to {high}; the last one {last}',
    spendingTitle: 'Spending, 14 days', spendingBy: 'Show spending', bySolver: 'By solver', byKey: 'By key', spendingEmpty: 'Nothing was spent in the last 14 days.',
    asTable: 'As a table', day: 'Day', rest: 'All others', inAll: 'In all', purchases: 'Purchases', dayTitle: '{day}: {money}',
    chartLabel: 'Spending by day: {money} in 14 days, most on {day} with {most}. The table below has all numbers.',
    keysTitle: 'Keys', keysEmpty: 'No keys yet: {command}', role_client: 'client', role_administrator: 'administrator', role_operator: 'operator', invalid: 'Not valid',
    budgetDay: 'Today', budgetTotal: 'In all', spentOf: '{money} of {limit}', noLimit: '{money}, no limit', usedUp: 'used up', nearly: 'nearly used up',
    refusalsTitle: 'Refused requests', refusalsEmpty: 'No request was refused since the start.',
    reason_bad_key: 'Unknown key', reason_no_money: 'No money left', reason_busy: 'Too busy', reason_stopping: 'Stopping', reason_out_of_order: 'Out of order',
    reason_unsolvable: 'Cannot be solved', reason_unknown_id: 'Unknown job', reason_bad_picture: 'Unusable picture', reason_unsupported: 'Not supported',
    reason_no_such_method: 'No such method', reason_bad_request: 'Malformed request', reason_rate_limited: 'Too fast',
    outcome_solved: 'Solved', outcome_unsolvable: 'Cannot be solved', outcome_timeout: 'Timed out', outcome_deadline_exceeded: 'Too late', outcome_all_failed: 'All failed',
    outcome_unavailable: 'Not available', outcome_unauthorized: 'Key not accepted', outcome_other_key: 'Key of another kind', outcome_forbidden: 'Not allowed with this key', outcome_insufficient_balance: 'Account empty', outcome_budget_exhausted: 'Budget used up',
    outcome_rate_limited: 'Too fast', outcome_overloaded: 'Overloaded', outcome_circuit_open: 'Circuit open', outcome_protocol: 'Reply not understood', outcome_unsupported: 'Not supported',
    outcome_invalid_challenge: 'Unusable request', outcome_invalid_answer: 'Unusable answer', outcome_unconfirmed: 'Unconfirmed', outcome_not_recorded: 'Not recorded',
    jobTitle: 'Job', jobLoading: 'Loading…', jobGone: 'This job is no longer known.', jobFailed: 'The details do not load. Close and try again.',
    created: 'Created', message: 'Message', size: 'Picture', answer: 'Answer', pixels: '{w} × {h} px', drag: 'from {a} to {b}', none: 'none', still: 'still open',
    purchasesTitle: 'Purchases', purchasesEmpty: 'Nothing was bought for this job.', purchaseJob: 'Job there', purchaseState: 'State',
    purchase_open: 'Open', purchase_unconfirmed: 'Unconfirmed', purchase_settled: 'Settled',
    pictureTitle: 'Picture', pictureLoading: 'The picture is loading…', pictureAbsent: 'The picture is not kept.', pictureFailed: 'The picture does not load.', pictureBroken: 'This picture cannot be shown.',
    pictureLabel: 'The picture of the job', pictureLabelDrag: 'The picture of the job, with the answer drawn {drag}',
  },
  vi: {
    title: 'Cổng kéo mảnh ghép', tools: 'Công cụ', signOut: 'Đăng xuất', overview: 'Tổng quan', close: 'Đóng', chain: 'Chuỗi',
    signInTitle: 'Cổng kéo mảnh ghép', signInText: 'Đăng nhập bằng mã của quản trị viên để xem cổng đang hoạt động ra sao.',
    key: 'Mã đăng nhập của bạn', remember: 'Giữ đăng nhập trên thiết bị này', signIn: 'Đăng nhập', signingIn: 'Đang đăng nhập…',
    keyMissing: 'Bạn hãy nhập mã đăng nhập.', keyWrong: 'Đây không phải mã của quản trị viên. Bạn kiểm tra rồi thử lại nhé.',
    unreachable: 'Máy chủ chưa trả lời. Đang thử lại…', signedOut: 'Bạn đã đăng xuất.',
    connecting: 'Đang kết nối…', connected: 'Đã kết nối', lost: 'Mất kết nối', stopping: 'Đang dừng',
    up: 'đã chạy {time}', version: 'Phiên bản {version}', lastNews: 'cập nhật lần cuối {time} trước', ago: '{time} trước',
    seconds: '{n} giây', minutes: '{n} phút {m} giây', hours: '{n} giờ {m} phút', days: '{n} ngày {m} giờ', ms: '{n} ms',
    openJobs: 'Yêu cầu đang mở', working: '{n} đang được giải', solvedHour: 'Đã giải trong giờ qua', atLeast: '{n} trở lên',
    notSolved: '{n} không có đáp án', spentToday: 'Chi hôm nay', in30Days: '{money} trong 14 ngày',
    operatorsHere: 'Người trực', pictures: '{waiting} hình đang chờ, {hand} đang làm', noOperators: 'chuỗi này không có người trực',
    liveTitle: 'Yêu cầu đang mở', liveEmpty: 'Chưa có gì. Yêu cầu sẽ hiện ở đây ngay khi có khách gửi đến.', oldest: '{n} yêu cầu cũ nhất trong số {all}',
    endedTitle: 'Yêu cầu gần đây', endedEmpty: 'Chưa có yêu cầu nào kết thúc. 50 yêu cầu gần nhất sẽ hiện ở đây.',
    job: 'Yêu cầu', jobKey: 'Khóa', protocol: 'Giao thức', age: 'Đã chờ', doing: 'Tình hình', outcome: 'Kết quả', solver: 'Bên giải', took: 'Thời gian', cost: 'Chi phí', ended: 'Kết thúc',
    showAll: 'Xem tất cả {n}', showFewer: 'Thu gọn', state_queued: 'Trong hàng chờ', state_working: 'Đang giải',
    waitingFor: 'đang chờ {what}', asking: 'đang hỏi {what}', boughtAt: 'đã mua ở {what}', wait_operator: 'người trực', wait_permit: 'đến lượt',
    solversTitle: 'Bên giải', solversEmpty: 'Chưa có bên giải nào: hãy khai báo trong tệp của “drag-solver serve --config FILE”.',
    circuit: 'Cầu dao', inFlight: 'Đang chạy', success: 'Thành công', median: 'Trung vị', p95: '95 %', latencies: 'Thời gian đáp', today: 'Hôm nay', month: '14 ngày', lastError: 'Lỗi gần nhất',
    circuit_closed: 'Đóng', circuit_open: 'Ngắt', circuit_half_open: 'Nửa đóng', nextTry: 'thử lại sau {n} giây', trying: 'đang thử một yêu cầu',
    of: '{n} trên {all}', sparkline: '{n} lần đáp gần nhất mất từ {low} đến {high}; lần cuối mất {last}',
    spendingTitle: 'Chi tiêu 14 ngày', spendingBy: 'Cách xem chi tiêu', bySolver: 'Theo bên giải', byKey: 'Theo khóa', spendingEmpty: 'Không chi gì trong 14 ngày qua.',
    asTable: 'Xem dạng bảng', day: 'Ngày', rest: 'Còn lại', inAll: 'Tổng', purchases: 'Số lần mua', dayTitle: '{day}: {money}',
    chartLabel: 'Chi tiêu theo ngày: {money} trong 14 ngày, nhiều nhất là {day} với {most}. Bảng bên dưới có đủ các số.',
    keysTitle: 'Khóa', keysEmpty: 'Chưa có khóa nào: {command}', role_client: 'khách', role_administrator: 'quản trị', role_operator: 'người trực', invalid: 'Không còn hiệu lực',
    budgetDay: 'Hôm nay', budgetTotal: 'Tổng', spentOf: '{money} trên {limit}', noLimit: '{money}, không giới hạn', usedUp: 'đã hết', nearly: 'sắp hết',
    refusalsTitle: 'Yêu cầu bị từ chối', refusalsEmpty: 'Chưa từ chối yêu cầu nào kể từ khi khởi động.',
    reason_bad_key: 'Khóa lạ', reason_no_money: 'Hết tiền', reason_busy: 'Quá tải', reason_stopping: 'Đang dừng', reason_out_of_order: 'Đang hỏng',
    reason_unsolvable: 'Không giải được', reason_unknown_id: 'Yêu cầu lạ', reason_bad_picture: 'Hình không dùng được', reason_unsupported: 'Không hỗ trợ',
    reason_no_such_method: 'Không có lệnh này', reason_bad_request: 'Sai định dạng', reason_rate_limited: 'Gửi quá nhanh',
    outcome_solved: 'Đã giải', outcome_unsolvable: 'Không giải được', outcome_timeout: 'Hết giờ', outcome_deadline_exceeded: 'Quá hạn', outcome_all_failed: 'Tất cả đều hỏng',
    outcome_unavailable: 'Tạm ngưng', outcome_unauthorized: 'Khóa bị từ chối', outcome_other_key: 'Khóa loại khác', outcome_forbidden: 'Khóa này không được phép', outcome_insufficient_balance: 'Tài khoản hết tiền', outcome_budget_exhausted: 'Hết ngân sách',
    outcome_rate_limited: 'Gửi quá nhanh', outcome_overloaded: 'Quá tải', outcome_circuit_open: 'Cầu dao ngắt', outcome_protocol: 'Đáp không hiểu được', outcome_unsupported: 'Không hỗ trợ',
    outcome_invalid_challenge: 'Yêu cầu không dùng được', outcome_invalid_answer: 'Đáp án không dùng được', outcome_unconfirmed: 'Chưa rõ', outcome_not_recorded: 'Không ghi lại được',
    jobTitle: 'Yêu cầu', jobLoading: 'Đang tải…', jobGone: 'Không còn thông tin về yêu cầu này.', jobFailed: 'Chưa tải được chi tiết. Bạn đóng lại rồi thử lần nữa nhé.',
    created: 'Tạo lúc', message: 'Thông báo', size: 'Hình', answer: 'Đáp án', pixels: '{w} × {h} px', drag: 'từ {a} đến {b}', none: 'không có', still: 'đang mở',
    purchasesTitle: 'Các lần mua', purchasesEmpty: 'Chưa mua gì cho yêu cầu này.', purchaseJob: 'Mã bên đó', purchaseState: 'Trạng thái',
    purchase_open: 'Đang mở', purchase_unconfirmed: 'Chưa rõ', purchase_settled: 'Đã xong',
    pictureTitle: 'Hình', pictureLoading: 'Đang tải hình…', pictureAbsent: 'Hình không được lưu lại.', pictureFailed: 'Chưa tải được hình.', pictureBroken: 'Không hiển thị được hình này.',
    pictureLabel: 'Hình của yêu cầu', pictureLabelDrag: 'Hình của yêu cầu, có vẽ đáp án {drag}',
  },
};

const LANGUAGES = { en: { long: 'English', short: 'EN' }, vi: { long: 'Tiếng Việt', short: 'VI' } };
const NONE = '–';
const KEYS_COMMAND = 'drag-solver keys add NAME --store FILE';

let language = 'en';
let locale = 'en'; // the visitor's kind of the language, for numbers and dates

function t(name, values = {}) {
  return TEXTS[language][name].replace(/\{(\w+)\}/g, (_, key) => values[key]);
}

// A name the server uses, in words; one this page does not know is shown as it is.
function word(group, name) {
  return TEXTS[language][`${group}_${name}`] ?? plain(name).replaceAll('_', ' ');
}

// Control characters and those that turn the direction of writing are made visible, so that no name can pose as another.
function plain(text) {
  return String(text ?? NONE).replace(/[\p{Cc}\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/gu, '\ufffd');
}

function number(value, options) { return Number(value).toLocaleString(locale, options); }

function decimal(value, digits = 1) { return number(value, { minimumFractionDigits: digits, maximumFractionDigits: digits }); }

function dollars(amount) {
  if (amount === null || amount === undefined) return NONE;
  const value = Number(amount);
  if (!Number.isFinite(value)) return plain(amount);
  const whole = Math.abs(value * 100 - Math.round(value * 100)) < 1e-6; // cents
  const digits = whole || value >= 1 ? 2 : value >= 0.0001 ? 4 : 8;
  return `$${decimal(value, digits)}`;
}

function duration(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  const two = (name, large, small) => t(name, { n: number(Math.floor(s / large)), m: Math.floor((s % large) / small) });
  if (s < 60) return t('seconds', { n: s });
  if (s < 3600) return two('minutes', 60, 1);
  return s < 86400 ? two('hours', 3600, 60) : two('days', 86400, 3600);
}

function milliseconds(ms) {
  if (ms === null || ms === undefined) return NONE;
  if (ms < 1000) return t('ms', { n: number(Math.round(ms)) });
  return ms < 60000 ? t('seconds', { n: decimal(ms / 1000) }) : duration(ms / 1000);
}

function dayName(day) { return new Date(`${day}T00:00:00Z`).toLocaleDateString(locale, { day: 'numeric', month: 'short', timeZone: 'UTC' }); }

function moment(time) { return new Date(time).toLocaleString(locale, { dateStyle: 'medium', timeStyle: 'medium' }); }

// ---------------------------------------------------------------- small helpers

const sum = (values) => values.reduce((total, value) => total + (Number(value) || 0), 0);

function el(tag, className = '', ...children) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...children);
  return node;
}

function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

// Builds what is in an element anew only when it shows something else: focus, selection and hover stay.
const shown = new WeakMap();
function fill(element, what, build) {
  const mark = JSON.stringify([language, what]);
  if (shown.get(element) === mark) return;
  shown.set(element, mark);
  element.replaceChildren(...[build(what)].flat());
}

// Makes the children of a list follow the items, by key; those that stay are not touched but by `update`.
function follow(parent, items, keyOf, create, update) {
  const wanted = new Map(items.map((item) => [String(keyOf(item)), item]));
  const old = new Map([...parent.children].map((node) => [node.dataset.key, node]));
  for (const [key, node] of old) if (!wanted.has(key)) drop(node);
  let next = parent.firstElementChild;
  for (const [key, item] of wanted) {
    const node = old.get(key) ?? create(item);
    node.dataset.key = key;
    if (node === next) next = next.nextElementSibling; else parent.insertBefore(node, next);
    update(node, item);
  }
}

// A row that goes away must not take the keyboard's focus with it.
function drop(node) {
  const focused = node.contains(document.activeElement);
  const heir = (node.nextElementSibling ?? node.previousElementSibling)?.querySelector('button') ?? node.closest('section')?.querySelector('h2');
  node.remove();
  if (focused) heir?.focus({ preventScroll: true });
}

// ---------------------------------------------------------------- the server

const POLL_MS = 2000;
const PATIENCE_MS = 8000;

class ApiError extends Error {
  constructor(status) { super(`${status}`); this.status = status; }
}

class Server {
  constructor(key) { this.key = key; this.ended = new AbortController(); }

  async call(path) {
    const signal = AbortSignal.any([this.ended.signal, AbortSignal.timeout(PATIENCE_MS)]);
    const headers = { Authorization: `Bearer ${this.key}` };
    const response = await fetch(`/admin/${path}`, { headers, signal, cache: 'no-store', credentials: 'omit' });
    if (!response.ok) throw new ApiError(response.status);
    return response;
  }

  overview() { return this.call('overview').then((response) => response.json()); }
  job(id) { return this.call(`jobs/${encodeURIComponent(id)}`).then((response) => response.json()); }
  picture(id) { return this.call(`jobs/${encodeURIComponent(id)}/picture`).then((response) => response.blob()); }
}

// Asks for the overview again and again while the tab is seen.
class Poller {
  constructor(server) { this.server = server; }

  get stopped() { return this.server.ended.signal.aborted; }

  async run() {
    while (!this.stopped) {
      await this.ask();
      await this.pause();
    }
  }

  async ask() {
    let overview;
    try { overview = await this.server.overview(); } catch (error) {
      if (!this.stopped) onFailed(error);
      return;
    }
    if (!this.stopped) onOverview(overview);
  }

  async pause() {
    await this.sleep(POLL_MS);
    while (document.hidden && !this.stopped) await this.sleep();
  }

  sleep(ms) { return new Promise((wake) => { this.wake = wake; if (ms) setTimeout(wake, ms); }); }

  hurry() { this.wake?.(); }

  stop() { this.server.ended.abort(); this.hurry(); }
}

// ---------------------------------------------------------------- state of the page, sign in, sign out

const app = {
  server: null, poller: null,
  overview: null, received: 0, // the last overview, and when it came (performance.now)
  connection: 'off', // off, connecting, on, lost
  by: 'solver', // what spending is split by
  job: null, // what the dialog shows: { id, details, state, picture, pictureState }
};

const signIn = new SignIn('admin', { t, connect, refuse: signOut, render });

function connect(key) {
  app.poller?.stop();
  app.server = new Server(key);
  app.poller = new Poller(app.server);
  app.connection = 'connecting';
  app.poller.run();
  render();
}

function signOut(message) {
  app.poller?.stop();
  signIn.forget();
  signIn.message = message;
  Object.assign(app, { server: null, poller: null, overview: null, connection: 'off' });
  $('job').close();
  render();
  signIn.focus();
}

function onOverview(overview) {
  const first = !app.overview;
  signIn.message = null;
  Object.assign(app, { overview, received: performance.now(), connection: 'on' });
  if (first) signIn.keep(app.server.key);
  render();
  if (first) $('overview-title').focus({ preventScroll: true });
  if (app.job?.details && !app.job.details.ended) loadJob(app.job);
}

function onFailed(error) {
  if (error.status === 401 || error.status === 403) { signOut('keyWrong'); return; }
  app.connection = 'lost';
  if (!app.overview) signIn.message = 'unreachable';
  render();
}

// The server's clock, so that a wrong clock here does not make ages wrong.
function now() { return Date.parse(app.overview.now) + performance.now() - app.received; }

function age(time) { return duration((now() - Date.parse(time)) / 1000); }

// ---------------------------------------------------------------- badges

// A shape beside the words, so that nothing is said by colour alone.
const SHAPES = {
  good: 'M2 6.5 4.8 9.2 10 3', bad: 'M2.5 2.5l7 7m0-7-7 7', half: 'M6 1.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9M6 1.5a4.5 4.5 0 0 1 0 9z',
  wait: 'M6 1.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9M6 3.6V6l1.7 1', work: 'M1.5 6h9M7 2.5 10.5 6 7 9.5',
};

function badge(shape, text) {
  const icon = svg('svg', { viewBox: '0 0 12 12', 'aria-hidden': 'true', focusable: 'false' }, svg('path', { d: SHAPES[shape] }));
  return el('span', `badge ${shape}`, icon, el('span', '', text));
}

// `hasOwn`, as a name from the wire may be that of something every object has.
function shapeOf(shapes, name) { return Object.hasOwn(shapes, name) ? shapes[name] : 'wait'; }

function note(text) { return el('span', 'note', text); }

// ---------------------------------------------------------------- tables

// One column: the name of its heading in TEXTS, what a cell shows (`value`), and how (`draw`, plain text if absent).
class Table {
  constructor(id, keyOf, columns, limit = Infinity) {
    Object.assign(this, { root: $(id), keyOf, columns, limit, all: false });
    this.name = id;
    this.button = $(`${id}-all`);
    this.head = role(el('tr'), 'row');
    this.body = role(el('tbody'), 'rowgroup');
    this.root.append(role(el('thead', '', this.head), 'rowgroup'), this.body);
    role(this.root, 'table');
    this.button?.addEventListener('click', () => { this.all = !this.all; render(); });
  }

  update(items) {
    const visible = this.all ? items : items.slice(0, this.limit);
    fill(this.head, this.columns.map(({ head }) => head), () => this.columns.map((column) => headCell(column)));
    follow(this.body, visible, this.keyOf, () => this.row(), (row, item) => this.fillRow(row, item));
    show(`${this.name}-empty`, !items.length);
    this.root.parentElement.hidden = !items.length;
    if (this.button) this.updateButton(items.length);
  }

  row() {
    return role(el('tr', '', ...this.columns.map(({ kind }, i) => (i ? role(el('td', kind), 'cell') : role(el('th', kind), 'rowheader')))), 'row');
  }

  fillRow(row, item) {
    this.columns.forEach(({ head, value, draw = (text) => text }, i) => {
      row.cells[i].dataset.label = t(head);
      fill(row.cells[i], value(item), draw);
    });
  }

  updateButton(count) {
    this.button.hidden = count <= this.limit;
    this.button.setAttribute('aria-expanded', this.all);
    fill(this.button, [this.all, count], () => (this.all ? t('showFewer') : t('showAll', { n: number(count) })));
  }
}

// Said outright, as some browsers forget what a table is once a narrow screen lays it out as cards.
function role(node, name) { node.setAttribute('role', name); return node; }

function headCell({ head, kind }) {
  const cell = role(el('th', kind, t(head)), 'columnheader');
  cell.scope = 'col';
  return cell;
}

function jobButton(id) {
  const button = el('button', 'link', plain(id));
  button.type = 'button';
  button.title = plain(id);
  button.setAttribute('aria-haspopup', 'dialog');
  button.addEventListener('click', () => openJob(id));
  return button;
}

// ---------------------------------------------------------------- jobs

const FEW = matchMedia('(max-width: 639px)').matches ? 4 : 8; // rows of a table until all are asked for

const JOB_COLUMN = { head: 'job', kind: 'name', value: ({ id }) => id, draw: jobButton };
const KEY_COLUMN = { head: 'jobKey', kind: 'name', value: ({ key }) => plain(key) };
const PROTOCOL_COLUMN = { head: 'protocol', value: ({ protocol }) => plain(protocol) };
const SOLVER_COLUMN = { head: 'solver', kind: 'name', value: ({ solver }) => plain(solver) };

const liveTable = new Table('live', ({ id }) => id, [
  JOB_COLUMN, KEY_COLUMN, PROTOCOL_COLUMN,
  { head: 'doing', kind: 'long', value: ({ state, step }) => [state, step], draw: ([state, step]) => [badge(state === 'working' ? 'work' : 'wait', word('state', state)), note(stepText(step))] },
  SOLVER_COLUMN,
  { head: 'age', kind: 'number', value: ({ created }) => age(created) },
], FEW);

const endedTable = new Table('ended', ({ id }) => id, [
  JOB_COLUMN, KEY_COLUMN, PROTOCOL_COLUMN,
  { head: 'outcome', value: ({ outcome }) => outcome, draw: outcomeBadge },
  SOLVER_COLUMN,
  { head: 'took', kind: 'number', value: ({ took_ms: took }) => milliseconds(took) },
  { head: 'cost', kind: 'number', value: ({ spent_usd: spent }) => dollars(spent) },
  { head: 'ended', kind: 'number', value: ({ ended }) => t('ago', { time: age(ended) }) },
], FEW);

function outcomeBadge(outcome) { return badge(outcome === 'solved' ? 'good' : 'bad', word('outcome', outcome)); }

const STEPS = [[/^waiting for (?:an? )?(.+)$/s, 'waitingFor'], [/^asking (.+)$/s, 'asking'], [/^bought at (.+)$/s, 'boughtAt']];

// The server says in English what a job is at; the known sentences are put in the language of the page.
function stepText(step) {
  if (step === null) return '';
  for (const [pattern, name] of STEPS) {
    const what = pattern.exec(step)?.[1];
    if (what) return t(name, { what: name === 'waitingFor' ? word('wait', what) : plain(what) });
  }
  return plain(step);
}

// ---------------------------------------------------------------- solvers

const solverTable = new Table('solvers', ({ name }) => name, [
  { head: 'solver', kind: 'name', value: ({ name, kind }) => [plain(name), kind === name ? '' : plain(kind)], draw: ([name, kind]) => [name, note(kind)] },
  { head: 'circuit', value: ({ circuit, probes_in_seconds: left }) => [circuit, circuit === 'open' && left !== null ? Math.ceil(left) : null], draw: circuitBadge },
  { head: 'inFlight', kind: 'number', value: ({ in_flight: n }) => number(n) },
  { head: 'success', kind: 'number', value: ({ answered, failed }) => [answered, answered + failed], draw: ([n, all]) => (all ? [share(n / all), note(t('of', { n: number(n), all: number(all) }))] : NONE) },
  { head: 'median', kind: 'number', value: ({ p50_ms: ms }) => milliseconds(ms) },
  { head: 'p95', kind: 'number', value: ({ p95_ms: ms }) => milliseconds(ms) },
  { head: 'latencies', value: ({ recent_ms: recent }) => recent, draw: (recent) => (recent.length > 1 ? sparkline(recent) : NONE) },
  { head: 'today', kind: 'number', value: ({ spent_today_usd: spent }) => dollars(spent) },
  { head: 'month', kind: 'number', value: ({ spent_usd: spent }) => dollars(spent) },
  { head: 'lastError', kind: 'error', value: ({ last_error: error }) => error && [error.kind, error.message, duration(error.ago_seconds)], draw: errorText },
]);

function share(value) { return number(value, { style: 'percent', maximumFractionDigits: 1 }); }

function circuitBadge([circuit, left]) {
  if (circuit === null) return NONE;
  const shape = shapeOf({ closed: 'good', open: 'bad', half_open: 'half' }, circuit);
  const more = circuit === 'half_open' ? t('trying') : left === null ? '' : t('nextTry', { n: number(left) });
  return [badge(shape, word('circuit', circuit)), note(more)];
}

function errorText(error) {
  if (!error) return NONE;
  const [kind, message, time] = error;
  return [el('span', 'id', `${word('outcome', kind)}, ${t('ago', { time })}`), note(plain(message))];
}

function sparkline(recent) {
  const [low, high] = [Math.min(...recent), Math.max(...recent)];
  const x = (i) => 2 + i / (recent.length - 1) * 92;
  const y = (ms) => 25 - (high > low ? (ms - low) / (high - low) : 0.5) * 22;
  const label = t('sparkline', { n: recent.length, low: milliseconds(low), high: milliseconds(high), last: milliseconds(recent.at(-1)) });
  return svg('svg', { class: 'sparkline', viewBox: '0 0 98 28', role: 'img', 'aria-label': label },
    svg('polyline', { points: recent.map((ms, i) => `${x(i).toFixed(1)},${y(ms).toFixed(1)}`).join(' ') }),
    svg('circle', { cx: x(recent.length - 1), cy: y(recent.at(-1)), r: 2.5 }));
}

// ---------------------------------------------------------------- spending

const SERIES = 6; // as many colours; what is beyond them is put together
const CHART = { height: 220, left: 56, bottom: 24, top: 10 };

// The last 14 days, the largest names, and what each cost on each day.
function spending() {
  const { overview, by } = app;
  const rows = by === 'solver' ? overview.days : overview.key_days;
  const last = Date.parse(overview.now);
  const days = Array.from({ length: 14 }, (_, i) => new Date(last - (13 - i) * 86400000).toISOString().slice(0, 10));
  const inTime = rows.filter(({ day }) => days.includes(day));
  const names = seriesNames(inTime.map((row) => [row[by], Number(row.spent_usd) || 0]));
  const columns = names.length > SERIES ? [...names.slice(0, SERIES - 1), null] : names;
  const cost = (day, name) => sum(inTime.filter((row) => row.day === day && (name === null ? !columns.includes(row[by]) : row[by] === name)).map((row) => row.spent_usd));
  const values = days.map((day) => columns.map((name) => cost(day, name)));
  const purchases = days.map((day) => sum(inTime.filter((row) => row.day === day).map((row) => row.purchases)));
  return { days, names: columns.map((name) => (name === null ? t('rest') : plain(name))), values, totals: values.map(sum), purchases };
}

// The largest first.
function seriesNames(costs) {
  const totals = new Map();
  for (const [name, cost] of costs) totals.set(name, (totals.get(name) ?? 0) + cost);
  return [...totals].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).map(([name]) => name);
}

function renderSpending() {
  const data = spending();
  const any = sum(data.totals) > 0;
  show('spending', any);
  show('spending-empty', !any);
  if (!any) return;
  fill($('legend'), data.names, (names) => names.map((name, i) => el('li', '', swatch(i), name)));
  const width = Math.max($('chart').clientWidth, 160);
  fill($('chart'), [data, width], () => chart(data, width));
  fill($('spending-table'), data, spendingTable);
}

function swatch(i) {
  return svg('svg', { class: 'swatch', viewBox: '0 0 12 12', 'aria-hidden': 'true', focusable: 'false' }, svg('rect', { class: `series${i}`, width: 12, height: 12, rx: 3 }));
}

// A round number at or above the largest, that four lines divide well.
function ceiling(largest) {
  const power = 10 ** Math.floor(Math.log10(largest));
  return [1, 2, 4, 6, 8, 10].map((step) => step * power).find((top) => top >= largest * 0.999999);
}

function chart(data, width) {
  const { days, totals } = data;
  const top = ceiling(Math.max(...totals));
  const most = totals.indexOf(Math.max(...totals));
  const label = t('chartLabel', { money: dollars(sum(totals)), day: dayName(days[most]), most: dollars(totals[most]) });
  const slot = (width - CHART.left) / days.length;
  const y = (value) => CHART.height - CHART.bottom - value / top * (CHART.height - CHART.bottom - CHART.top);
  const lines = [0, 0.5, 1].map((part) => gridLine(y(top * part), width, dollars(top * part)));
  const bars = days.map((day, i) => bar(data, i, CHART.left + i * slot, slot, y));
  return svg('svg', { viewBox: `0 0 ${width} ${CHART.height}`, role: 'img', 'aria-label': label }, ...lines, ...bars);
}

function gridLine(y, width, text) {
  return svg('g', {}, svg('line', { class: 'grid', x1: CHART.left, x2: width, y1: y, y2: y }), svg('text', { x: CHART.left - 8, y: y + 4, 'text-anchor': 'end' }, text));
}

function bar({ days, names, values, totals }, i, left, slot, y) {
  const thick = Math.min(slot * 0.66, 40);
  const x = left + (slot - thick) / 2;
  let below = 0;
  const pieces = values[i].map((value, series) => {
    const [from, to] = [y(below), y(below += value)];
    // A gap of one pixel keeps neighbours apart without their colours.
    return svg('rect', { class: `series${series}`, x, y: to, width: thick, height: Math.max(0, from - to - 1) });
  });
  const parts = names.map((name, series) => [name, values[i][series]]).filter(([, value]) => value > 0).map(([name, value]) => `\n${name} ${dollars(value)}`);
  const title = svg('title', {}, t('dayTitle', { day: dayName(days[i]), money: dollars(totals[i]) }) + parts.join(''));
  const group = svg('g', {}, title, svg('rect', { class: 'hover', x: left, y: 0, width: slot, height: CHART.height - CHART.bottom }), ...pieces);
  // Counted from today, as many names of days as there is room for.
  const every = Math.ceil(56 / slot);
  if ((days.length - 1 - i) % every === 0) group.append(svg('text', { x: left + slot / 2, y: CHART.height - 6, 'text-anchor': 'middle' }, dayName(days[i])));
  return group;
}

function spendingTable({ days, names, values, totals, purchases }) {
  const heads = [t('day'), ...names, t('inAll'), t('purchases')].map((text) => { const cell = el('th', '', text); cell.scope = 'col'; return cell; });
  const rows = days.map((day, i) => {
    const head = el('th', '', dayName(day));
    head.scope = 'row';
    const costs = [...values[i], totals[i]].map((value) => (value ? dollars(value) : NONE));
    return el('tr', '', head, ...[...costs, purchases[i] ? number(purchases[i]) : NONE].map((text) => el('td', '', text)));
  });
  return [el('thead', '', el('tr', '', ...heads)), el('tbody', '', ...rows.reverse())];
}

// ---------------------------------------------------------------- keys, refusals

function renderKeys() {
  const { keys } = app.overview;
  fill($('keys-empty'), null, () => { const [before, after] = t('keysEmpty', { command: '\n' }).split('\n'); return [before, el('code', '', KEYS_COMMAND), after]; });
  show('keys-empty', !keys.length);
  follow($('keys'), keys, ({ name }) => name, () => el('li'), (item, key) => fill(item, key, keyEntry));
}

function keyEntry(key) {
  const head = el('p', 'entry', el('b', 'id', plain(key.name)), el('span', 'soft', word('role', key.role)));
  if (!key.valid) head.append(badge('bad', t('invalid')));
  if (key.role !== 'client' && !Number(key.spent_usd)) return [head];
  return [head, ...budget('budgetDay', key.spent_today_usd, key.per_day_usd), ...budget('budgetTotal', key.spent_usd, key.total_usd)];
}

function budget(name, spent, limit) {
  const money = dollars(spent);
  if (limit === null) return [el('p', 'line', el('span', 'soft', t(name)), t('noLimit', { money }))];
  const part = Number(limit) > 0 ? Number(spent) / Number(limit) : 1;
  const warning = part >= 1 ? t('usedUp') : part >= 0.8 ? t('nearly') : '';
  const text = t('spentOf', { money, limit: dollars(limit) }) + (warning && `, ${warning}`);
  return [el('p', warning ? 'line short' : 'line', el('span', 'soft', t(name)), text), track(part, warning)];
}

function track(part, warning = '') {
  const inner = el('div');
  inner.style.transform = `scaleX(${Math.min(Math.max(part, 0), 1)})`;
  const outer = el('div', warning ? 'track short' : 'track', inner);
  outer.setAttribute('aria-hidden', 'true');
  return outer;
}

function renderRefusals() {
  const { refusals } = app.overview;
  const largest = Math.max(1, ...refusals.map(({ count }) => count));
  show('refusals-empty', !refusals.length);
  follow($('refusals'), refusals, ({ reason }) => reason, () => el('li'), (item, { reason, count }) => {
    fill(item, [reason, count, largest], () => [el('p', 'line', el('span', 'id', word('reason', reason)), number(count)), track(count / largest)]);
  });
}

// ---------------------------------------------------------------- one job

const purchaseTable = new Table('purchases', ({ place }) => place, [
  SOLVER_COLUMN,
  { head: 'purchaseJob', kind: 'name', value: ({ job }) => plain(job) },
  { head: 'purchaseState', value: ({ state }) => state, draw: (state) => badge(shapeOf({ settled: 'good', unconfirmed: 'half' }, state), word('purchase', state)) },
  { head: 'cost', kind: 'number', value: ({ cost_usd: cost }) => dollars(cost) },
]);

function openJob(id) {
  app.job = { id, details: null, state: 'jobLoading', picture: null, pictureState: 'pictureLoading' };
  renderJob();
  $('job').showModal();
  loadJob(app.job);
}

async function loadJob(job) {
  try {
    job.details = await app.server.job(job.id);
    job.state = null;
  } catch (error) {
    if (error.status === 401 && app.job === job) { signOut('keyWrong'); return; }
    // Details that are there already stay: the next overview asks for them again.
    if (!job.details) job.state = error.status === 404 ? 'jobGone' : 'jobFailed';
  }
  if (app.job !== job) return;
  if (job.details && job.pictureState === 'pictureLoading') loadPicture(job);
  renderJob();
}

async function loadPicture(job) {
  if (!job.details.has_picture) { job.pictureState = 'pictureAbsent'; return; }
  job.pictureState = 'pictureUnderWay';
  const image = new Image();
  try {
    const blob = await app.server.picture(job.id);
    if (app.job !== job) return;
    image.src = URL.createObjectURL(blob);
    await image.decode();
    job.pictureState = null;
  } catch (error) {
    job.pictureState = error.status === 404 ? 'pictureAbsent' : image.src ? 'pictureBroken' : 'pictureFailed';
  }
  job.picture = image;
  if (app.job === job) renderJob(); else freePicture(job);
}

function freePicture({ picture }) { if (picture?.src) URL.revokeObjectURL(picture.src); }

function closeJob() {
  freePicture(app.job);
  app.job = null;
  $('board').replaceChildren();
  shown.delete($('board'));
  // The row that was clicked may be gone by now.
  if (document.activeElement === document.body && app.overview) $('live-title').focus({ preventScroll: true });
}

function renderJob() {
  const { id, details, state } = app.job;
  setText('job-id', plain(id));
  setText('job-state', state ? t(state) : '');
  show('job-details', details);
  if (!details) return;
  fill($('job-facts'), facts(details), (list) => list.map(([name, ...content]) => el('div', '', el('dt', '', t(name)), el('dd', '', ...content))));
  purchaseTable.update(details.purchases.map((purchase, place) => ({ ...purchase, place })));
  renderPicture(app.job);
}

function facts({ key, created, ended, outcome, message, width, height, drag }) {
  const list = [['jobKey', plain(key)], ['created', moment(created)], ['ended', ended ? moment(ended) : t('still')]];
  if (outcome) list.push(['outcome', word('outcome', outcome)]);
  if (message) list.push(['message', plain(message)]);
  return [...list, ['size', t('pixels', { w: number(width), h: number(height) })], ['answer', drag ? dragText(drag) : t('none')]];
}

function dragText({ start, end }) {
  const place = ({ x, y }) => `(${number(x, { maximumFractionDigits: 1 })}; ${number(y, { maximumFractionDigits: 1 })})`;
  return t('drag', { a: place(start), b: place(end) });
}

function renderPicture({ details, picture, pictureState }) {
  const message = pictureState === 'pictureUnderWay' ? 'pictureLoading' : pictureState;
  setText('picture-state', message ? t(message) : '');
  show('picture-state', message);
  show('board', !message);
  if (message) return;
  const { drag, width, height } = details;
  picture.alt = drag ? t('pictureLabelDrag', { drag: dragText(drag) }) : t('pictureLabel');
  fill($('board'), [picture.src, drag], () => [picture, ...(drag ? [drawnAnswer(drag, width, height)] : [])]);
}

// Start, way and end in pixels of the picture; each drawn twice, dark below light, to be seen on any picture.
function drawnAnswer({ start, end }, width, height) {
  const unit = Math.max(width, height) / 50;
  const turn = Math.atan2(end.y - start.y, end.x - start.x);
  const tip = (angle) => `${end.x - unit * 1.6 * Math.cos(turn + angle)} ${end.y - unit * 1.6 * Math.sin(turn + angle)}`;
  const way = `M${start.x} ${start.y}L${end.x} ${end.y}M${tip(0.5)}L${end.x} ${end.y}L${tip(-0.5)}`;
  const layer = (name) => [svg('path', { class: name, d: way }), svg('circle', { class: `${name} start`, cx: start.x, cy: start.y, r: unit * 0.8 }),
    svg('rect', { class: `${name} end`, x: end.x - unit, y: end.y - unit, width: unit * 2, height: unit * 2, rx: unit * 0.4 })];
  return svg('svg', { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: 'none', 'aria-hidden': 'true', focusable: 'false' }, ...layer('under'), ...layer('over'));
}

// ---------------------------------------------------------------- what is seen

function signedIn() { return Boolean(app.overview) || Boolean(app.server && signIn.savedKey === app.server.key); }

function render() {
  const inside = signedIn();
  show('view-sign-in', !inside);
  show('view-overview', app.overview);
  show('sign-out', inside);
  document.title = (app.connection === 'lost' ? '(!) ' : '') + t('title');
  renderStatus(inside);
  signIn.render(app.connection === 'connecting');
  if (app.overview) renderOverview();
  if (app.job) renderJob();
  for (const scroller of document.querySelectorAll('.scroller')) makeReachable(scroller);
}

function renderStatus(inside) {
  const stopping = app.connection === 'on' && app.overview.stopping;
  const state = !inside ? 'off' : stopping ? 'stopping' : app.connection;
  $('status').dataset.state = state;
  setText('status-text', t({ off: 'title', connecting: 'connecting', on: 'connected', lost: 'lost', stopping: 'stopping' }[state]));
  setText('since', app.overview ? since() : '');
}

function since() {
  if (app.connection === 'lost') return t('lastNews', { time: duration((performance.now() - app.received) / 1000) });
  return t('up', { time: age(app.overview.started) });
}

function renderOverview() {
  const { version, chain, trouble, jobs, solvers } = app.overview;
  setText('version', t('version', { version: plain(version) }));
  setText('chain', plain(chain));
  setText('trouble', trouble ? plain(trouble) : '');
  renderFigures();
  setText('live-note', jobs.open > jobs.live.length ? t('oldest', { n: number(jobs.live.length), all: number(jobs.open) }) : '');
  liveTable.update(jobs.live);
  solverTable.update(solvers);
  renderSpending();
  renderKeys();
  endedTable.update(jobs.ended);
  renderRefusals();
}

function renderFigures() {
  const { jobs, solvers, operators } = app.overview;
  setText('figure-open', number(jobs.open));
  setText('note-open', t('working', { n: number(jobs.working) }));
  renderLastHour(jobs.ended);
  setText('figure-spent', dollars(sum(solvers.map((solver) => solver.spent_today_usd))));
  setText('note-spent', t('in30Days', { money: dollars(sum(solvers.map((solver) => solver.spent_usd))) }));
  setText('figure-operators', operators ? number(operators.there) : NONE);
  setText('note-operators', operators ? t('pictures', { waiting: number(operators.waiting), hand: number(operators.in_hand) }) : t('noOperators'));
}

// Only the last 50 jobs are known: when all of them are of this hour, there may have been more.
function renderLastHour(ended) {
  const recent = ended.filter((job) => now() - Date.parse(job.ended) < 3600000);
  const solved = recent.filter(({ outcome }) => outcome === 'solved').length;
  const count = (n) => (recent.length >= 50 ? t('atLeast', { n: number(n) }) : number(n));
  setText('figure-solved', count(solved));
  setText('note-solved', t('notSolved', { n: count(recent.length - solved) }));
}

// What scrolls by itself must be reachable by the keyboard.
function makeReachable(element) {
  const scrolls = element.scrollWidth > element.clientWidth + 1;
  if (scrolls) element.tabIndex = 0; else element.removeAttribute('tabindex');
}

function setLanguage(name) {
  language = name;
  locale = navigator.languages.find((tag) => tag.toLowerCase().startsWith(name)) ?? name;
  document.documentElement.lang = name;
  for (const element of document.querySelectorAll('[data-text]')) element.textContent = t(element.dataset.text);
  for (const element of document.querySelectorAll('[data-label]:not(td, th)')) element.setAttribute('aria-label', t(element.dataset.label));
  const other = name === 'en' ? 'vi' : 'en';
  setText('language-long', LANGUAGES[other].long);
  setText('language-short', LANGUAGES[other].short);
  $('language').lang = other;
  $('language').setAttribute('aria-label', LANGUAGES[other].long);
  render();
}

function switchLanguage() {
  const other = language === 'en' ? 'vi' : 'en';
  store.set('admin.language', other);
  setLanguage(other);
}

// ---------------------------------------------------------------- start

function listen() {
  $('language').addEventListener('click', switchLanguage);
  $('sign-out').addEventListener('click', () => signOut('signedOut'));
  $('job-close').addEventListener('click', () => $('job').close());
  $('job').addEventListener('close', closeJob);
  for (const input of document.getElementsByName('by')) input.addEventListener('change', () => { app.by = input.value; render(); });
  document.querySelector('details').addEventListener('toggle', render);
  document.addEventListener('visibilitychange', () => { if (!document.hidden) app.poller?.hurry(); });
  addEventListener('online', () => app.poller?.hurry());
  new ResizeObserver(render).observe($('main'));
  setInterval(() => { if (app.overview && !document.hidden) render(); }, 1000); // ages count up
}

function start() {
  listen();
  const wanted = store.get('admin.language') ?? navigator.language.slice(0, 2).toLowerCase();
  setLanguage(Object.hasOwn(TEXTS, wanted) ? wanted : 'en');
  signIn.start(signIn.savedKey);
}

start();
