// What the scripts of all pages have in common: small helpers, and how one signs in.

export const $ = (id) => document.getElementById(id);

export function show(id, visible) { $(id).hidden = !visible; }

// Writing an unchanged text again would make screen readers repeat it.
export function setText(id, text) { if ($(id).textContent !== text) $(id).textContent = text; }

// Storage may be forbidden (private windows, policies): the page then works without remembering.
export const store = {
  get(name, area = 'localStorage') { try { return window[area].getItem(name); } catch { return null; } },
  set(name, value, area = 'localStorage') {
    try { if (value === null) window[area].removeItem(name); else window[area].setItem(name, value); } catch { /* not remembered */ }
  },
};

// The form that asks for a key, and where the key is kept: in this tab, or on this device if its owner ticks the box.
export class SignIn {
  // `t` says a text of the page, by its name; `connect` gets a key, and `refuse` the name of the text that says why it is none.
  constructor(page, { t, connect, refuse, render }) {
    Object.assign(this, { t, connect, refuse, onChange: render });
    this.name = `${page}.key`;
    this.remember = false; // what the box said
    this.message = null; // the name of a text
    $('sign-in').addEventListener('submit', (event) => { event.preventDefault(); this.submit(); });
  }

  get savedKey() { return store.get(this.name, 'sessionStorage') ?? store.get(this.name); }

  write(key, remember) {
    store.set(this.name, remember ? null : key, 'sessionStorage');
    store.set(this.name, remember ? key : null);
  }

  // The server has taken it.
  keep(key) { this.write(key, this.remember); $('key').value = ''; }

  forget() { this.write(null, false); }

  // Begins with this key, or with the form if there is none.
  start(key) {
    this.remember = key !== null && store.get(this.name) === key;
    if (key) this.use(key); else $('key').focus();
  }

  submit() {
    const key = $('key').value.trim();
    this.message = key ? null : 'keyMissing';
    if (!key) { this.onChange(); $('key').focus(); return; }
    this.remember = $('remember').checked;
    this.use(key);
  }

  // A header carries plain characters only; any other key cannot be right.
  use(key) { if (/[^\x21-\x7e]/.test(key)) this.refuse('keyWrong'); else this.connect(key); }

  focus() {
    $('key').focus();
    if (this.message === 'keyWrong') $('key').select();
  }

  render(busy) {
    setText('sign-in-button', this.t(busy ? 'signingIn' : 'signIn'));
    setText('sign-in-message', this.message ? this.t(this.message) : '');
    $('key').setAttribute('aria-invalid', ['keyMissing', 'keyWrong'].includes(this.message));
  }
}
