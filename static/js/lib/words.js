/** Speaking to the reader. The words come translated in the markup; here is no language. */
const general = /** @type {HTMLElement | null} */ (document.getElementById("words"));

/** @param {string | undefined} words @param {Record<string, string | number>} values for {n}, {time} … */
export function say(words, values = {}) {
  return (words ?? "").replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
}

/** Words every page has. @param {string} name @param {Record<string, string | number>} [values] */
export const common = (name, values) => say(general?.dataset[name], values);

/** Once and politely, for those who listen. @param {string} words */
export function announce(words) {
  const announcer = document.getElementById("announcer");
  if (announcer) announcer.textContent = words;
}

let hiding = 0;

/** A small note at the bottom. @param {string} words */
export function toast(words) {
  const note = document.getElementById("toast");
  if (!note || !words) return;
  note.hidden = false;
  note.textContent = words;
  clearTimeout(hiding);
  hiding = setTimeout(() => (note.hidden = true), 4_000);
}

/** A button made by script. @param {string} words @param {string} classes @param {() => void} press */
export function button(words, classes, press) {
  const made = document.createElement("button");
  Object.assign(made, { type: "button", className: `button ${classes}`, textContent: words });
  made.addEventListener("click", press);
  return made;
}
