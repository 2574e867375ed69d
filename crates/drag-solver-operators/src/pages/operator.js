// The operator page: shows drag challenges one at a time and sends back where a drag starts and ends.
// Everything that comes over the wire is put on the page as text (textContent), never as markup.

import { $, SignIn, setText, show, store } from './base.js';

// ---------------------------------------------------------------- words

const TEXTS = {
  en: {
    title: 'Drag the piece', tools: 'Tools', help: 'Help', signOut: 'Sign out', undo: 'Undo', close: 'Close',
    connected: 'Connected', connecting: 'Connecting…', connectingAgain: 'Connecting again…',
    signInTitle: 'Welcome', signInText: 'You see a picture with a piece. You drag the piece to its place.',
    key: 'Your key', remember: 'Stay signed in on this device', signIn: 'Sign in', signingIn: 'Signing in…',
    keyMissing: 'Please type your key.', keyWrong: 'This is not an operator’s key. Please check it and try again.',
    unreachable: 'The server does not answer. Trying again…', signedOut: 'You are signed out.',
    waitingTitle: 'Nothing to do right now', waitingText: 'The next picture appears here by itself.',
    overTitle: 'This session has ended', overText: 'Thank you. You can close this page.',
    alone: 'You are the only one here.', together: '{n} people are here, you among them.',
    answered: 'Answered', right: 'Right', wrong: 'Wrong', skipped: 'Skipped',
    sound: 'Sound for a new picture', practise: 'Practise',
    drag: 'Drag the piece to its place', resultTitle: 'How close you were',
    left: '{n} s left', timeUp: 'Time is up', noLimit: 'Take your time', more: '{n} more waiting',
    practiceNumber: 'Practice, picture {n}', loading: 'The picture is loading…',
    noPicture: 'The picture does not load. Trying again…',
    brokenPicture: 'This picture cannot be shown. Please choose “Cannot be solved”.',
    board: 'Picture, {w} by {h} pixels', boardHint: 'Drag from the piece to its place. Or press an arrow key to set the start, then Tab for the end. Enter sends.',
    start: 'Start', end: 'End', startMark: 'Start mark', endMark: 'End mark', notSet: 'not set', at: 'x {x}, y {y}',
    pad: 'Move the chosen mark by one pixel', toLeft: 'Left', up: 'Up', down: 'Down', toRight: 'Right',
    send: 'Send', sending: 'Sending…', skip: 'Cannot be solved', clear: 'Clear', stop: 'Stop', next: 'Next picture',
    setBoth: 'Please set the start and the end first.', cleared: 'Marks cleared.',
    newPicture: 'A new picture is here.', againPicture: 'The picture is back.', tenSeconds: 'Ten seconds left.',
    sent: 'Sent. Thank you.', skippedNow: 'Marked as “cannot be solved”.', undoLate: 'It is too late to undo.', notUndone: 'Not undone. There is no connection.',
    tooLate: 'Time was up for the last picture.', notNeeded: 'This picture is no longer needed.',
    givenBack: 'This picture went back to the queue.',
    notSent: 'Not sent. There is no connection. Please try again.', refused: 'Not sent: {m}',
    practiceOff: 'Practice does not work right now. Please try later.', practiceEnds: 'Practice stops: a real picture is here.',
    result: 'Start {a} px off, end {b} px off, in {t} s.',
    scoreCount: 'Pictures', scoreError: 'Mean error', scoreTime: 'Mean time', scoreBest: 'Best', px: '{n} px', s: '{n} s',
    helpTitle: 'How it works',
    help1: 'Press on the piece. Hold, drag it to its place, and let go.',
    help2: 'Not quite right? Drag either mark again, or drag anew. Two taps work too: first the piece, then the place.',
    help3: 'Press “Send”. For a few seconds you can still undo.',
    help4: 'No way to solve it? Press “Cannot be solved”.',
    keysTitle: 'Keys', keysShort: 'Keys: Tab chooses a mark, arrows move it by 1 pixel, Shift + arrow by 10, Enter sends, Esc clears, Ctrl + Z undoes.',
    keyTab: 'choose the picture, the start, the end', keyArrow: 'set a mark, move it by 1 pixel', keyShift: 'move it by 10 pixels',
    keyEnter: 'send', keyEscape: 'clear the marks', keyUndo: 'undo what you just sent',
  },
  vi: {
    title: 'Kéo mảnh ghép', tools: 'Công cụ', help: 'Trợ giúp', signOut: 'Đăng xuất', undo: 'Hoàn tác', close: 'Đóng',
    connected: 'Đã kết nối', connecting: 'Đang kết nối…', connectingAgain: 'Đang kết nối lại…',
    signInTitle: 'Xin chào', signInText: 'Bạn sẽ thấy một bức hình có mảnh ghép. Hãy kéo mảnh ghép vào đúng chỗ.',
    key: 'Mã đăng nhập của bạn', remember: 'Giữ đăng nhập trên thiết bị này', signIn: 'Đăng nhập', signingIn: 'Đang đăng nhập…',
    keyMissing: 'Bạn hãy nhập mã đăng nhập.', keyWrong: 'Mã này không đúng. Bạn kiểm tra rồi thử lại nhé.',
    unreachable: 'Máy chủ chưa trả lời. Đang thử lại…', signedOut: 'Bạn đã đăng xuất.',
    waitingTitle: 'Hiện chưa có hình nào', waitingText: 'Hình tiếp theo sẽ tự hiện ra ở đây.',
    overTitle: 'Phiên làm việc đã kết thúc', overText: 'Cảm ơn bạn. Bạn có thể đóng trang này.',
    alone: 'Hiện chỉ có mình bạn ở đây.', together: 'Có {n} người đang ở đây, tính cả bạn.',
    answered: 'Đã trả lời', right: 'Đúng', wrong: 'Sai', skipped: 'Bỏ qua',
    sound: 'Âm báo khi có hình mới', practise: 'Luyện tập',
    drag: 'Kéo mảnh ghép vào đúng chỗ', resultTitle: 'Kết quả của bạn',
    left: 'Còn {n} giây', timeUp: 'Đã hết giờ', noLimit: 'Cứ từ từ nhé', more: 'Còn {n} hình đang chờ',
    practiceNumber: 'Luyện tập, hình số {n}', loading: 'Đang tải hình…',
    noPicture: 'Chưa tải được hình. Đang thử lại…',
    brokenPicture: 'Không hiển thị được hình này. Bạn hãy chọn “Không giải được”.',
    board: 'Hình, {w} x {h} điểm ảnh', boardHint: 'Kéo từ mảnh ghép đến đúng chỗ. Hoặc nhấn phím mũi tên để đặt điểm đầu, rồi Tab để sang điểm cuối. Enter để gửi.',
    start: 'Đầu', end: 'Cuối', startMark: 'Dấu điểm đầu', endMark: 'Dấu điểm cuối', notSet: 'chưa đặt', at: 'x {x}, y {y}',
    pad: 'Dời dấu đang chọn một điểm ảnh', toLeft: 'Sang trái', up: 'Lên trên', down: 'Xuống dưới', toRight: 'Sang phải',
    send: 'Gửi', sending: 'Đang gửi…', skip: 'Không giải được', clear: 'Xóa', stop: 'Dừng lại', next: 'Hình tiếp theo',
    setBoth: 'Bạn hãy đặt điểm đầu và điểm cuối trước.', cleared: 'Đã xóa các dấu.',
    newPicture: 'Có hình mới.', againPicture: 'Hình đã trở lại.', tenSeconds: 'Còn mười giây.',
    sent: 'Đã gửi. Cảm ơn bạn.', skippedNow: 'Đã báo “không giải được”.', undoLate: 'Đã quá muộn để hoàn tác.', notUndone: 'Chưa hoàn tác được vì mất kết nối.',
    tooLate: 'Hình vừa rồi đã hết giờ.', notNeeded: 'Hình này không cần trả lời nữa.',
    givenBack: 'Hình này đã được trả lại hàng chờ.',
    notSent: 'Chưa gửi được vì mất kết nối. Bạn thử lại nhé.', refused: 'Chưa gửi được: {m}',
    practiceOff: 'Hiện chưa luyện tập được. Bạn thử lại sau nhé.', practiceEnds: 'Dừng luyện tập: có hình thật rồi.',
    result: 'Điểm đầu lệch {a} px, điểm cuối lệch {b} px, trong {t} giây.',
    scoreCount: 'Số hình', scoreError: 'Lệch trung bình', scoreTime: 'Thời gian trung bình', scoreBest: 'Tốt nhất', px: '{n} px', s: '{n} s',
    helpTitle: 'Cách làm',
    help1: 'Nhấn giữ mảnh ghép, kéo đến đúng chỗ rồi thả ra.',
    help2: 'Chưa vừa ý? Hãy kéo lại một trong hai dấu, hoặc kéo lại từ đầu. Chạm hai lần cũng được: chạm mảnh ghép trước, rồi chạm vào chỗ của nó.',
    help3: 'Nhấn “Gửi”. Trong vài giây sau đó bạn vẫn có thể hoàn tác.',
    help4: 'Không có cách nào giải? Hãy nhấn “Không giải được”.',
    keysTitle: 'Phím tắt', keysShort: 'Phím: Tab chọn dấu, mũi tên dời 1 điểm ảnh, Shift + mũi tên dời 10, Enter gửi, Esc xóa, Ctrl + Z hoàn tác.',
    keyTab: 'chọn hình, điểm đầu, điểm cuối', keyArrow: 'đặt dấu, dời 1 điểm ảnh', keyShift: 'dời 10 điểm ảnh',
    keyEnter: 'gửi', keyEscape: 'xóa các dấu', keyUndo: 'hoàn tác lần gửi vừa rồi',
  },
};

const LANGUAGES = { en: { long: 'English', short: 'EN' }, vi: { long: 'Tiếng Việt', short: 'VI' } };

let language = 'en';

function t(name, values = {}) {
  return TEXTS[language][name].replace(/\{(\w+)\}/g, (_, key) => values[key]);
}

function decimal(number) {
  return number.toLocaleString(language, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
}

// ---------------------------------------------------------------- small helpers

const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
const distance = (a, b) => Math.hypot(a.x - b.x, a.y - b.y);

// ---------------------------------------------------------------- the server

class ApiError extends Error {
  constructor(status, message) { super(message); this.status = status; }
}

class Server {
  constructor(key) { this.key = key; this.session = null; }

  async call(path, { method = 'GET', body, ...options } = {}) {
    const headers = { Authorization: `Bearer ${this.key}` };
    if (this.session) headers['Operator-Session'] = this.session;
    if (body) headers['Content-Type'] = 'application/json';
    const response = await fetch(`/operator/${path}`, {
      method, headers, body: body && JSON.stringify(body), cache: 'no-store', credentials: 'omit', signal: AbortSignal.timeout(10000), ...options,
    });
    if (!response.ok) throw new ApiError(response.status, await errorMessage(response));
    return response;
  }

  async post(path, body = {}, options = {}) {
    const response = await this.call(path, { method: 'POST', body, ...options });
    return response.json().catch(() => ({}));
  }

  act(id, what, body) { return this.post(`challenges/${encodeURIComponent(id)}/${what}`, body); }
}

async function errorMessage(response) {
  try { return (await response.json()).error.message; } catch { return `${response.status}`; }
}

// Server-sent events read with fetch, as EventSource cannot send the key in a header.
async function* readEvents(body, onBytes) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    onBytes();
    const blocks = (rest + value).replaceAll('\r\n', '\n').split('\n\n');
    rest = blocks.pop();
    for (const block of blocks) {
      const event = parseEvent(block);
      if (event) yield event;
    }
  }
}

function parseEvent(block) {
  let name = 'message';
  const data = [];
  for (const line of block.split('\n')) {
    if (line.startsWith('event:')) name = line.slice(6).trim();
    if (line.startsWith('data:')) data.push(line.slice(5).replace(/^ /, ''));
  }
  return data.length ? { name, data: JSON.parse(data.join('\n')) } : null;
}

// Keeps one event stream open until stopped. The heartbeat comes every 5 s; three missed ones mean a dead line.
class Stream {
  constructor(server, { onEvent, onLost, onRefused, onOver }) {
    Object.assign(this, { server, onEvent, onLost, onRefused, onOver });
    this.stopped = false;
    this.backoff();
  }

  backoff(first = 500, then = (ms) => Math.min(ms * 2, 5000)) { this.delay = first; this.grow = then; }

  async run() {
    while (!this.stopped) {
      try { if (await this.readOnce()) continue; } catch (error) {
        if (error.status === 401 && !this.stopped) { this.stopped = true; this.onRefused(); return; }
      }
      if (this.stopped) return;
      this.onLost();
      await Promise.race([sleep(this.delay), new Promise((wake) => { this.wake = wake; })]);
      this.delay = this.grow(this.delay);
    }
  }

  // Says whether the server asks for another stream at once: it lets none last for long.
  async readOnce() {
    const abort = this.abort = new AbortController();
    let watchdog;
    const feed = () => { clearTimeout(watchdog); watchdog = setTimeout(() => abort.abort(), 15000); };
    feed();
    try {
      const response = await this.server.call('events', { signal: abort.signal });
      for await (const { name, data } of readEvents(response.body, feed)) {
        if (this.stopped) return;
        if (name === 'hello') this.backoff();
        if (name === 'reconnect') return true;
        if (name === 'bye' && data.over) { this.stopped = true; this.onOver(); return; }
        if (name === 'bye') { this.backoff(1000, () => 2000); return; }
        this.onEvent(name, data);
      }
      return false;
    } finally { clearTimeout(watchdog); abort.abort(); }
  }

  // The device is back online or unlocked: do not wait out the delay.
  hurry() { this.wake?.(); }

  stop() { this.stopped = true; this.abort?.abort(); this.wake?.(); }
}

// ---------------------------------------------------------------- the board: picture, two marks, loupe

const MARKS = ['start', 'end'];
const LARGEST_SCALE = 2.5;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

class Board {
  constructor(onChange) {
    this.onChange = onChange;
    this.root = $('board');
    this.image = $('picture');
    this.loupe = new Loupe($('loupe'), this);
    this.reset();
    this.listen();
    new ResizeObserver(() => this.fit()).observe($('desk'));
  }

  reset() {
    this.size = { width: 1, height: 1 };
    this.region = null;
    this.marks = { start: null, end: null };
    this.truth = null;
    this.active = 'end';
    this.gesture = null;
    this.locked = false;
    this.setBlob(null);
    this.loupe.hide();
  }

  open({ width, height, region }, marks) {
    this.reset();
    this.size = { width, height };
    this.region = region ?? null;
    this.marks = marks ?? { start: null, end: null };
    this.fit();
    this.draw();
  }

  setBlob(blob) {
    if (this.url) URL.revokeObjectURL(this.url);
    this.url = blob && URL.createObjectURL(blob);
    if (this.url) this.image.src = this.url; else this.image.removeAttribute('src');
  }

  get complete() { return Boolean(this.marks.start && this.marks.end); }

  fit() {
    const room = $('desk');
    if (!room.clientWidth) return;
    const { width, height } = this.size;
    const scale = Math.min(room.clientWidth / width, room.clientHeight / height, LARGEST_SCALE);
    this.root.style.width = `${width * scale}px`;
    this.root.style.height = `${height * scale}px`;
    this.loupe.refresh();
  }

  // ---- places: always in pixels of the original picture

  toPicture(event) {
    const box = this.root.getBoundingClientRect();
    return this.inside({
      x: (event.clientX - box.left) / box.width * this.size.width,
      y: (event.clientY - box.top) / box.height * this.size.height,
    });
  }

  toScreen(place) {
    const box = this.root.getBoundingClientRect();
    return { x: box.left + place.x / this.size.width * box.width, y: box.top + place.y / this.size.height * box.height };
  }

  inside({ x, y }) {
    const round = (value) => Math.round(value * 100) / 100;
    return { x: round(clamp(x, 0, this.size.width - 1)), y: round(clamp(y, 0, this.size.height - 1)) };
  }

  // Where a mark begins when it is set by keyboard.
  defaultPlace(name) {
    const { x, y, width, height } = this.region ?? { x: 0, y: 0, ...this.size };
    return (name === 'end' && this.marks.start) || this.inside({ x: Math.round(x + width / 2), y: Math.round(y + height / 2) });
  }

  // ---- changes

  set(marks) { this.marks = marks; this.draw(); this.onChange(); }

  place(name, place) { this.active = name; this.set({ ...this.marks, [name]: place }); }

  clear() { this.gesture = null; this.loupe.hide(); this.active = 'end'; this.set({ start: null, end: null }); }

  nudge(name, dx, dy) {
    const from = this.marks[name];
    this.place(name, from ? this.inside({ x: from.x + dx, y: from.y + dy }) : this.defaultPlace(name));
    this.loupe.at(this.marks[name]);
  }

  select(name) { this.active = name; this.draw(); this.onChange(); }

  lock(truth) { this.locked = true; this.truth = truth; this.loupe.hide(); this.draw(); }

  // Focus without the loupe: used after a pointer has placed the mark.
  focusQuietly(name) {
    this.quiet = true;
    $(`mark-${name}`).focus({ preventScroll: true });
    this.quiet = false;
  }

  // ---- pointer

  listen() {
    const on = (target, type, handle) => target.addEventListener(type, handle.bind(this));
    on(this.root, 'pointerdown', this.down);
    on(this.root, 'pointermove', this.move);
    on(this.root, 'pointerup', this.up);
    on(this.root, 'pointercancel', this.cancel);
    on(this.root, 'lostpointercapture', this.cancel);
    on(this.root, 'keydown', this.key);
    this.root.addEventListener('contextmenu', (event) => event.preventDefault());
    for (const name of MARKS) {
      const mark = $(`mark-${name}`);
      mark.addEventListener('focus', () => this.focused(name));
      mark.addEventListener('blur', () => this.loupe.hide());
    }
    addEventListener('scroll', () => this.loupe.refresh(), { passive: true });
    addEventListener('resize', () => this.loupe.refresh());
  }

  down(event) {
    if (this.locked || this.gesture || !event.isPrimary || event.button !== 0) return;
    event.preventDefault();
    this.root.setPointerCapture(event.pointerId);
    const finger = event.pointerType === 'touch';
    const place = this.toPicture(event);
    this.gesture = {
      pointer: event.pointerId, before: this.marks, from: place, moved: false,
      screen: { x: event.clientX, y: event.clientY },
      grabbed: this.markNear(event, finger ? 26 : 16), slop: finger ? 5 : 2,
    };
    if (this.gesture.grabbed) this.select(this.gesture.grabbed);
    else if (!this.marks.start && !this.marks.end) this.place('start', place);
    this.loupe.at(place);
  }

  // A mark can be taken again once both are there; before that a drag always means piece to place.
  markNear(event, reach) {
    if (!this.complete) return null;
    const pointer = { x: event.clientX, y: event.clientY };
    const near = MARKS.map((name) => ({ name, away: distance(this.toScreen(this.marks[name]), pointer) }))
      .filter(({ away }) => away <= reach).sort((a, b) => a.away - b.away || (a.name === this.active ? -1 : 1));
    return near[0]?.name ?? null;
  }

  move(event) {
    const gesture = this.gesture;
    if (gesture?.pointer !== event.pointerId) return;
    gesture.moved ||= distance(gesture.screen, { x: event.clientX, y: event.clientY }) >= gesture.slop;
    if (!gesture.moved) return;
    const place = this.toPicture(event);
    if (gesture.grabbed) this.place(gesture.grabbed, place);
    else { this.active = 'end'; this.set({ start: gesture.from, end: place }); }
    this.loupe.at(place);
  }

  up(event) {
    const gesture = this.gesture;
    if (gesture?.pointer !== event.pointerId) return;
    this.move(event);
    this.gesture = null;
    this.loupe.hide();
    if (!gesture.moved && !gesture.grabbed) this.tap(gesture.before, this.toPicture(event));
    this.focusQuietly(this.active);
  }

  // A tap sets the mark that is still missing. With both set it changes nothing: a stray tap must not cost a good answer.
  tap(before, place) {
    if (before.start && before.end) return;
    this.place(before.start ? 'end' : 'start', place);
  }

  cancel(event) {
    if (this.gesture?.pointer !== event.pointerId) return;
    const { before } = this.gesture;
    this.gesture = null;
    this.loupe.hide();
    this.set(before);
  }

  // ---- keyboard

  key(event) {
    const arrow = ARROWS[event.key];
    if (this.locked || event.altKey || event.ctrlKey || event.metaKey || !(arrow || event.key === ' ')) return;
    event.preventDefault();
    const name = MARKS.find((each) => event.target.id === `mark-${each}`);
    if (!name) { this.takeByKey('start'); return; }
    const step = event.shiftKey ? 10 : 1;
    if (arrow || !this.marks[name]) this.nudge(name, (arrow?.[0] ?? 0) * step, (arrow?.[1] ?? 0) * step);
  }

  takeByKey(name) {
    if (!this.marks[name]) this.place(name, this.defaultPlace(name));
    $(`mark-${name}`).focus();
  }

  focused(name) {
    this.select(name);
    // An unset mark shows where it would begin.
    if (!this.quiet && !this.locked) this.loupe.at(this.marks[name] ?? this.defaultPlace(name));
  }

  // ---- drawing

  draw() {
    for (const name of MARKS) this.drawMark(name);
    const { width, height } = this.size;
    $('lines').setAttribute('viewBox', `0 0 ${width} ${height}`);
    $('lines').setAttribute('preserveAspectRatio', 'none');
    this.drawRegion();
    drawLine('drag-under', this.marks);
    drawLine('drag-over', this.marks);
    drawLine('truth-under', this.truth);
    drawLine('truth-over', this.truth);
    for (const name of MARKS) {
      show(`truth-${name}`, this.truth);
      if (this.truth) this.moveTo($(`truth-${name}`), this.truth[name]);
    }
    this.root.classList.toggle('locked', this.locked);
    this.root.setAttribute('aria-label', t('board', { w: width, h: height }));
  }

  drawMark(name) {
    const mark = $(`mark-${name}`);
    const place = this.marks[name];
    this.moveTo(mark, place ?? this.defaultPlace(name));
    mark.classList.toggle('unset', !place);
    mark.classList.toggle('active', Boolean(place) && !this.locked && this.active === name);
    mark.setAttribute('aria-label', t(`${name}Mark`));
    mark.setAttribute('aria-valuemax', this.size.width);
    mark.setAttribute('aria-valuenow', Math.round((place ?? this.defaultPlace(name)).x));
    mark.setAttribute('aria-valuetext', place ? placeText(place) : t('notSet'));
  }

  moveTo(element, place) {
    element.style.left = `${place.x / this.size.width * 100}%`;
    element.style.top = `${place.y / this.size.height * 100}%`;
  }

  drawRegion() {
    for (const id of ['shade', 'region']) $(id).classList.toggle('on', Boolean(this.region));
    if (!this.region) return;
    const { x, y, width, height } = this.region;
    const all = `M0 0H${this.size.width}V${this.size.height}H0Z`;
    $('shade').setAttribute('d', `${all}M${x} ${y}h${width}v${height}h${-width}Z`);
    for (const [name, value] of Object.entries({ x, y, width, height })) $('region').setAttribute(name, value);
  }
}

function drawLine(id, drag) {
  const line = $(id);
  const visible = Boolean(drag?.start && drag?.end);
  line.classList.toggle('on', visible);
  if (!visible) return;
  const ends = { x1: drag.start.x, y1: drag.start.y, x2: drag.end.x, y2: drag.end.y };
  for (const [name, value] of Object.entries(ends)) line.setAttribute(name, value);
}

function placeText({ x, y }) { return t('at', { x: Math.round(x), y: Math.round(y) }); }

// Shows the picture around a place four times larger than on the screen, beside the finger, never under it.
class Loupe {
  constructor(canvas, board) { Object.assign(this, { canvas, board, place: null, side: 1 }); }

  // Begins on the side away from the middle of the picture, where it hides least.
  at(place) {
    if (!this.place) this.side = place.x < this.board.size.width / 2 ? -1 : 1;
    this.place = place;
    this.canvas.hidden = false;
    this.refresh();
  }

  hide() { this.place = null; this.canvas.hidden = true; }

  refresh() {
    if (!this.place) return;
    const size = this.canvas.offsetWidth;
    this.moveBeside(this.board.toScreen(this.place), size);
    this.paint(size);
  }

  // Stays on its side while there is room, so that it does not jump to and fro.
  moveBeside({ x, y }, size) {
    const away = 44 + size / 2;
    const width = document.documentElement.clientWidth;
    const fits = (side) => x + side * away - size / 2 >= 4 && x + side * away + size / 2 <= width - 4;
    if (!fits(this.side) && fits(-this.side)) this.side = -this.side;
    const left = x + this.side * away - size / 2;
    const top = clamp(y - size * 0.75, 4, Math.max(4, innerHeight - size - 4));
    this.canvas.style.translate = `${left}px ${top}px`;
  }

  paint(size) {
    const ratio = devicePixelRatio || 1;
    const inner = this.canvas.clientWidth;
    const pixels = Math.round(inner * ratio);
    if (this.canvas.width !== pixels) this.canvas.width = this.canvas.height = pixels;
    const context = this.canvas.getContext('2d');
    const { width, height } = this.board.size;
    const zoom = 4 * this.board.root.getBoundingClientRect().width / width;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, size, size);
    context.imageSmoothingEnabled = zoom < 3;
    context.setTransform(zoom * ratio, 0, 0, zoom * ratio, (inner / 2 - this.place.x * zoom) * ratio, (inner / 2 - this.place.y * zoom) * ratio);
    if (this.board.url && this.board.image.complete && this.board.image.naturalWidth) context.drawImage(this.board.image, 0, 0, width, height);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.paintCross(context, inner);
  }

  paintCross(context, size) {
    const middle = size / 2;
    const gap = 7;
    context.beginPath();
    for (const [dx, dy] of Object.values(ARROWS)) {
      context.moveTo(middle + dx * gap, middle + dy * gap);
      context.lineTo(middle + dx * middle, middle + dy * middle);
    }
    context.moveTo(middle + 1.5, middle);
    context.arc(middle, middle, 1.5, 0, Math.PI * 2);
    for (const [colour, thick] of [['rgb(0 0 0 / .75)', 3], ['#fff', 1]]) {
      context.strokeStyle = colour;
      context.lineWidth = thick;
      context.stroke();
    }
  }
}

// ---------------------------------------------------------------- state of the page

const CONFIRM_MS = 10000; // how long a challenge may stay after a reconnect without the server naming it again
const KEPT_TASKS = 20;

const noScore = () => ({ count: 0, errors: 0, seconds: 0, best: Infinity });

const app = {
  server: null, stream: null, hello: null,
  connection: 'off', // off, connecting, on, lost, over
  counts: { waiting: 0, operators: 1, answered: 0, skipped: 0, right: 0, wrong: 0 },
  task: null, // what is on the screen: a challenge or a practice picture
  sent: null, // the answer or skip that can still be undone
  undoing: false,
  score: noScore(),
};

const signIn = new SignIn('operator', { t, connect, refuse: signOut, render });

const board = new Board(() => { keepMarks(); renderMarks(); });

// Marks and time of recent challenges, so that one that comes again (undo, restart) finds them.
const kept = new Map();

function keepMarks() {
  const { task } = app;
  if (!task || task.practice) return;
  kept.delete(task.id);
  kept.set(task.id, { marks: board.marks, total: task.total });
  if (kept.size > KEPT_TASKS) kept.delete(kept.keys().next().value);
}

// ---------------------------------------------------------------- sign in, sign out

function connect(key) {
  app.stream?.stop();
  app.server = new Server(key);
  app.connection = 'connecting';
  app.stream = new Stream(app.server, { onEvent, onLost, onOver, onRefused: () => signOut('keyWrong') });
  app.stream.run();
  render();
}

// A link may bring a key behind its #, which no browser sends to a server. It goes out of the address at once.
function takeLinkKey() {
  const key = new URLSearchParams(location.hash.slice(1)).get('key');
  if (key !== null) history.replaceState(null, '', location.pathname);
  return key;
}

function signOut(message = null) {
  leave();
  app.stream?.stop();
  signIn.forget();
  signIn.message = message;
  Object.assign(app, { server: null, stream: null, hello: null, connection: 'off', task: null, score: noScore() });
  kept.clear();
  closeTask();
  hideNotice();
  render();
  signIn.focus();
}

function leave() {
  if (app.server?.session) app.server.post('leave', {}, { keepalive: true }).catch(() => {});
}

// ---------------------------------------------------------------- events of the server

const EVENTS = {
  hello(hello) {
    const first = !app.hello;
    if (first) signIn.keep(app.server.key);
    app.server.session = hello.session;
    signIn.message = null;
    Object.assign(app, { hello, connection: 'on' });
    expectAgain();
    keepAlive();
    if (first) { render(); focusTask(); }
  },
  state(counts) { Object.assign(app.counts, counts); },
  challenge(challenge) { openChallenge(challenge); },
  withdrawn({ id, why }) {
    if (app.task?.practice || app.task?.id !== id) return;
    closeTask();
    // An undo gives back the next challenge by itself: nothing to tell.
    if (!app.undoing) notify({ too_late: 'tooLate', not_needed: 'notNeeded', given_back: 'givenBack' }[why] ?? 'givenBack');
  },
};

function onEvent(name, data) {
  EVENTS[name]?.(data);
  render();
}

function onLost() {
  app.connection = 'lost';
  if (!app.hello) signIn.message = 'unreachable';
  render();
}

// What waits here was all there is: the key opens nothing any more.
function onOver() {
  signIn.forget();
  app.connection = 'over';
  closeTask();
  render();
}

// After a reconnect the server names the challenge again if it is still ours. If it does not, it is gone.
function expectAgain() {
  const { task } = app;
  if (!task || task.practice) return;
  task.confirmed = false;
  setTimeout(() => {
    if (app.task !== task || task.confirmed || app.connection !== 'on') return;
    closeTask();
    notify('givenBack');
    render();
  }, CONFIRM_MS);
}

const IDLE_MS = 60000; // who has not touched anything for so long is not there
const GRACE_MS = 20000; // unless something has just come

let touched = performance.now();
let aliveTimer;

// A challenge stays here for as long as somebody is there: the page is in sight, and was touched a while ago.
function keepAlive() {
  clearInterval(aliveTimer);
  if (isThere()) sayAlive(); // a page that comes back by itself says nothing of who looks at it
  aliveTimer = setInterval(() => {
    if (isThere() && app.task && !app.task.practice) sayAlive();
  }, app.hello.alive_ms);
}

function isThere() { return !document.hidden && performance.now() - touched < IDLE_MS; }

function sayAlive() { app.server?.post('alive').catch(() => {}); }

// Who comes back is told to the server at once: it gives nothing to a page that is out of sight.
function onTouch() {
  const wasAway = performance.now() - touched >= app.hello?.alive_ms;
  touched = performance.now();
  if (wasAway && !document.hidden) sayAlive();
}

// ---------------------------------------------------------------- tasks: challenges and practice pictures

function openChallenge(challenge) {
  if ($('help').open) $('help').close();
  const left = challenge.left_ms ?? null;
  const deadline = left === null ? null : performance.now() + left;
  if (app.task?.id === challenge.id && !app.task.practice) {
    // The same one again, after a reconnect: the picture and the marks on the screen stay.
    Object.assign(app.task, { deadline, confirmed: true });
    return;
  }
  const practised = app.task?.practice;
  const before = kept.get(challenge.id);
  openTask({
    ...challenge, practice: false, deadline, total: before?.total ?? left, confirmed: true,
    path: `challenges/${encodeURIComponent(challenge.id)}/picture`,
  }, before?.marks);
  if (app.sent?.id === challenge.id) hideNotice();
  touched = Math.max(touched, performance.now() - IDLE_MS + GRACE_MS); // there is as long to begin
  say(practised ? 'practiceEnds' : challenge.again ? 'againPicture' : 'newPicture');
  if (!challenge.again) beep();
}

function openTask(task, marks) {
  app.task = { ...task, shown: performance.now(), busy: false, veil: 'loading', result: null, warned: false };
  board.open(task, marks);
  render();
  focusTask();
  loadPicture(app.task);
}

function closeTask() {
  app.task = null;
  board.reset();
  if (app.server) focusTask();
}

async function loadPicture(task) {
  for (let wait = 500; app.task === task; wait = Math.min(wait * 2, 5000)) {
    try {
      const bytes = await (await app.server.call(task.path, { signal: AbortSignal.timeout(60000) })).arrayBuffer();
      if (app.task === task) await showPicture(task, new Blob([bytes], { type: task.media_type }));
      return;
    } catch {
      if (app.task !== task) return;
      setVeil(task, 'noPicture');
      await sleep(wait);
    }
  }
}

async function showPicture(task, blob) {
  board.setBlob(blob);
  const works = await board.image.decode().then(() => true, () => false);
  if (app.task !== task) return;
  task.shown = performance.now();
  setVeil(task, works ? null : 'brokenPicture');
}

function setVeil(task, veil) { task.veil = veil; render(); }

// Focus goes to what there is to do.
function focusTask() {
  if ($('help').open || document.activeElement === $('undo')) return;
  render();
  if (app.task) $('board').focus({ preventScroll: true }); else if (app.hello) $('waiting-title').focus({ preventScroll: true });
}

function send() {
  const { task } = app;
  if (!task || task.busy || task.result || board.gesture) return;
  if (!board.complete) { notify('setBoth'); return; }
  if (task.practice) finishPractice(task); else deliver(task, 'answer', board.marks, 'sent');
}

function skip() {
  if (app.task && !app.task.busy && !app.task.practice) deliver(app.task, 'skip', {}, 'skippedNow');
}

async function deliver(task, what, body, message) {
  const { server } = app;
  task.busy = true;
  render();
  try {
    const { undo_ms: undoMs } = await server.act(task.id, what, body);
    if (app.server !== server) return;
    if (app.task === task) closeTask();
    offerUndo(task.id, message, undoMs ?? app.hello.undo_ms);
  } catch (error) {
    task.busy = false;
    deliveryFailed(task, error);
  }
  render();
}

function deliveryFailed(task, error) {
  if (error.status === 401) { signOut('keyWrong'); return; }
  if (error.status === 409 && app.task === task) closeTask();
  // Anything else (no connection, a server just restarted that does not know us yet) can be tried again.
  const message = { 409: 'tooLate', 422: 'refused' }[error.status] ?? 'notSent';
  notify(message, { m: error.message });
}

async function undo() {
  const { sent } = app;
  if (!sent) return;
  hideNotice();
  app.undoing = true;
  try { await app.server.act(sent.id, 'undo'); } catch (error) { notify(error.status ? 'undoLate' : 'notUndone'); }
  app.undoing = false;
}

// ---------------------------------------------------------------- practice

async function practise() {
  const server = app.server;
  const number = crypto.getRandomValues(new Uint32Array(1))[0];
  const path = `practice/${number}`;
  try {
    const practice = await (await server.call(path)).json();
    // A challenge may have come while this was under way: work goes first.
    if (app.server !== server || (app.task && !app.task.practice)) return;
    openTask({ ...practice, practice: true, region: null, deadline: null, path: `${path}/picture` });
  } catch { notify('practiceOff'); }
}

function finishPractice(task) {
  const { start, end } = task.drag;
  const seconds = (performance.now() - task.shown) / 1000;
  task.result = { start: distance(board.marks.start, start), end: distance(board.marks.end, end), seconds };
  const error = (task.result.start + task.result.end) / 2;
  const { score } = app;
  score.count += 1;
  score.errors += error;
  score.seconds += seconds;
  score.best = Math.min(score.best, error);
  board.lock(task.drag);
  render();
  $('live').textContent = resultText(task.result);
  $('next').focus({ preventScroll: true });
}

function resultText({ start, end, seconds }) {
  return t('result', { a: decimal(start), b: decimal(end), t: decimal(seconds) });
}

// ---------------------------------------------------------------- notices, sound

let noticeTimer;

function notify(name, values) { showNotice(t(name, values), 5000); }

function showNotice(text, ms) {
  clearTimeout(noticeTimer);
  setText('notice-text', text);
  $('notice').dataset.open = 'true';
  show('undo', app.sent);
  noticeTimer = setTimeout(hideNotice, ms);
}

function hideNotice() {
  clearTimeout(noticeTimer);
  $('notice').dataset.open = 'false';
  setText('notice-text', '');
  endUndo();
}

function endUndo() {
  const focused = document.activeElement === $('undo');
  app.sent = null;
  show('undo', false);
  if (focused) focusTask();
}

function offerUndo(id, message, ms) {
  app.sent = { id, until: performance.now() + ms };
  showNotice(t(message), ms);
  renderClock();
}

// For screen readers: what people who see notice by themselves.
function say(name) { $('live').textContent = t(name); }

let audio;
function unlockSound() {
  if (!$('sound').checked) return;
  audio ??= new AudioContext();
  audio.resume();
}

function beep() {
  if (!$('sound').checked || audio?.state !== 'running') return;
  const tone = audio.createOscillator();
  const volume = audio.createGain();
  const now = audio.currentTime;
  tone.frequency.setValueAtTime(660, now);
  tone.frequency.setValueAtTime(880, now + 0.09);
  volume.gain.setValueAtTime(0.12, now);
  volume.gain.exponentialRampToValueAtTime(0.001, now + 0.3);
  tone.connect(volume).connect(audio.destination);
  tone.start(now);
  tone.stop(now + 0.3);
}

// ---------------------------------------------------------------- what is seen

function view() {
  if (!app.hello && !(app.server && signIn.savedKey === app.server.key)) return 'sign-in';
  return app.task ? 'work' : 'waiting';
}

function render() {
  const current = view();
  for (const name of ['sign-in', 'waiting', 'work']) show(`view-${name}`, name === current);
  show('sign-out', current !== 'sign-in' && app.connection !== 'over');
  document.title = (app.task && !app.task.practice ? '(1) ' : '') + t('title');
  renderConnection(current);
  signIn.render(app.connection === 'connecting');
  renderWaiting();
  if (app.task) renderTask(app.task);
  board.fit();
}

function renderConnection(current) {
  const state = current === 'sign-in' || app.connection === 'over' ? 'off' : app.connection;
  $('status').dataset.state = state;
  setText('status-text', { off: t('title'), connecting: t('connecting'), on: t('connected'), lost: t('connectingAgain') }[state]);
}

function renderWaiting() {
  const { counts } = app;
  const over = app.connection === 'over';
  setText('waiting-title', t({ on: 'waitingTitle', lost: 'connectingAgain', over: 'overTitle' }[app.connection] ?? 'connecting'));
  setText('waiting-text', t(over ? 'overText' : 'waitingText'));
  for (const id of ['operators', 'waiting-tools']) show(id, !over);
  setText('operators', counts.operators > 1 ? t('together', { n: counts.operators }) : t('alone'));
  for (const name of ['answered', 'right', 'wrong', 'skipped']) setText(`count-${name}`, `${counts[name]}`);
  show('practise', app.hello?.practice);
}

function renderTask(task) {
  const { practice, result } = task;
  setText('work-title', t(result ? 'resultTitle' : 'drag'));
  const instruction = result ? resultText(result) : task.instruction;
  setText('instruction', instruction ?? '');
  show('instruction', instruction);
  makeReachable($('instruction'));
  setText('veil', task.veil ? t(task.veil) : '');
  show('veil', task.veil);
  $('view-work').classList.toggle('result', Boolean(result));
  show('marks', !result);
  show('score', result);
  for (const [id, visible] of Object.entries({ skip: !practice, stop: practice, clear: !result, send: !result, next: result })) show(id, visible);
  if (result) renderScore();
  renderMarks();
  renderClock();
}

// A long instruction scrolls by itself; then the keyboard must get to it too.
function makeReachable(element) {
  if (element.scrollHeight > element.clientHeight + 1) element.tabIndex = 0; else element.removeAttribute('tabindex');
}

function renderScore() {
  const { count, errors, seconds, best } = app.score;
  setText('score-count', `${count}`);
  setText('score-error', t('px', { n: decimal(errors / count) }));
  setText('score-time', t('s', { n: decimal(seconds / count) }));
  setText('score-best', t('px', { n: decimal(best) }));
}

function renderMarks() {
  const { task } = app;
  if (!task) return;
  for (const name of MARKS) {
    const place = board.marks[name];
    setText(`place-${name}`, place ? `${Math.round(place.x)}, ${Math.round(place.y)}` : '–');
    $(`pick-${name}`).disabled = !place;
    $(`pick-${name}`).setAttribute('aria-pressed', Boolean(place) && board.active === name);
  }
  for (const button of $('pad').children) button.disabled = !board.marks[board.active];
  $('clear').disabled = !(board.marks.start || board.marks.end) || task.busy;
  $('skip').disabled = task.busy;
  $('send').disabled = !board.complete || task.busy;
  setText('send', t(task.busy ? 'sending' : 'send'));
}

function renderClock() {
  renderUndo();
  const { task } = app;
  if (!task) return;
  const left = task.deadline === null ? null : Math.max(0, task.deadline - performance.now());
  const share = left === null || !task.total ? 1 : Math.min(1, left / task.total);
  setText('time-text', timeText(task, left));
  setText('more', !task.practice && app.counts.waiting > 0 ? t('more', { n: app.counts.waiting }) : '');
  show('track', left !== null);
  $('time-bar').style.transform = `scaleX(${share})`;
  $('time').classList.toggle('short', left !== null && left < 10000);
  if (left !== null && left < 10000 && !task.warned) { task.warned = true; say('tenSeconds'); }
}

// Another notice may take the place of “Sent”; the undo button stays until its time is over.
function renderUndo() {
  if (!app.sent) return;
  const left = app.sent.until - performance.now();
  if (left > 0) setText('undo-count', `${Math.ceil(left / 1000)}`); else endUndo();
}

function timeText(task, left) {
  if (task.practice) return t('practiceNumber', { n: app.score.count + (task.result ? 0 : 1) });
  if (left === null) return t('noLimit');
  return left > 0 ? t('left', { n: Math.ceil(left / 1000) }) : t('timeUp');
}

function setLanguage(name) {
  language = name;
  document.documentElement.lang = name;
  for (const element of document.querySelectorAll('[data-text]')) element.textContent = t(element.dataset.text);
  for (const element of document.querySelectorAll('[data-label]')) element.setAttribute('aria-label', t(element.dataset.label));
  const other = name === 'en' ? 'vi' : 'en';
  setText('language-long', LANGUAGES[other].long);
  setText('language-short', LANGUAGES[other].short);
  $('language').lang = other;
  $('language').setAttribute('aria-label', LANGUAGES[other].long);
  board.draw();
  render();
}

function switchLanguage() {
  const other = language === 'en' ? 'vi' : 'en';
  store.set('operator.language', other);
  setLanguage(other);
}

// ---------------------------------------------------------------- keys of the whole page

function onKey(event) {
  if ($('help').open || event.defaultPrevented) return;
  if (event.key?.toLowerCase() === 'z' && (event.ctrlKey || event.metaKey) && app.sent) { event.preventDefault(); undo(); }
  if (!app.task || app.task.result) return;
  if (event.key === 'Enter' && !event.repeat && !event.target.closest('button, input')) { event.preventDefault(); send(); }
  if (event.key === 'Escape' && !app.task.busy) clearMarks();
}

function clearMarks() {
  board.clear();
  say('cleared');
  $('board').focus({ preventScroll: true });
}

// Without this the focus would begin at the button at the end, and a phone would show the end first.
function openHelp() {
  $('help').showModal();
  $('help-title').focus();
}

// The chosen mark moves; the loupe shows it for a moment, as there is no finger on it.
let padTimer;
function onPad(event) {
  const button = event.target.closest('button');
  if (!button) return;
  board.nudge(board.active, Number(button.dataset.dx), Number(button.dataset.dy));
  clearTimeout(padTimer);
  padTimer = setTimeout(() => { if (!board.gesture) board.loupe.hide(); }, 1500);
}

// ---------------------------------------------------------------- start

function listen() {
  const clicks = {
    'help-open': openHelp, language: switchLanguage, 'sign-out': () => signOut('signedOut'),
    undo, practise, skip, send, clear: clearMarks, stop: closeTask, next: practise,
    pad: onPad, 'pick-start': () => board.takeByKey('start'), 'pick-end': () => board.takeByKey('end'),
  };
  for (const [id, handle] of Object.entries(clicks)) $(id).addEventListener('click', handle);
  $('sound').addEventListener('change', () => {
    store.set('operator.sound', $('sound').checked ? 'on' : null);
    unlockSound();
    beep();
  });
  // Browsers let a page make sound only after a first touch or key.
  for (const type of ['pointerdown', 'keydown']) addEventListener(type, unlockSound, { passive: true });
  addEventListener('keydown', onKey);
  addEventListener('pagehide', leave);
  for (const sign of ['pointerdown', 'pointermove', 'keydown', 'focus']) addEventListener(sign, onTouch, { passive: true });
  addEventListener('pageshow', (event) => { if (event.persisted && app.server) connect(app.server.key); });
  // The link of another session was put into the address of this tab.
  addEventListener('hashchange', () => { if (location.hash.includes('key=')) location.reload(); });
  addEventListener('online', () => app.stream?.hurry());
  document.addEventListener('visibilitychange', () => { if (!document.hidden) { app.stream?.hurry(); onTouch(); } });
  setInterval(renderClock, 250);
}

function start() {
  listen();
  $('sound').checked = store.get('operator.sound') === 'on';
  const wanted = store.get('operator.language') ?? (navigator.language.toLowerCase().startsWith('vi') ? 'vi' : 'en');
  setLanguage(Object.hasOwn(TEXTS, wanted) ? wanted : 'en');
  signIn.start(takeLinkKey() ?? signIn.savedKey);
}

start();
