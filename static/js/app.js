/** Everything works without scripts; they add liveness and comfort. */
import "./elements/confirm-button.js";
import "./elements/post-composer.js";
import "./elements/post-menu.js";
import "./elements/relative-time.js";
import "./lib/frame.js";
import { start } from "./lib/live.js";
import { account } from "./lib/reader.js";
import { watchWhatIsSeen } from "./lib/seen.js";

if (account) watchWhatIsSeen();

// What not every page has is fetched by those alone, and before the first message can come.
const load = ({ localName }) => import(`./elements/${localName}.js`);
await Promise.allSettled([...document.querySelectorAll(":not(:defined)")].map(load));
fetchAt(["keydown"], () => import("./lib/shortcuts.js"));
if (matchMedia("(any-hover: hover)").matches) {
  fetchAt(["pointerover", "focusin"], () => load({ localName: "hover-card" }));
}

// Without a timeline there are still counts, but not for a visitor.
const { position = "", stream = "none" } = document.querySelector("[data-position]")?.dataset ?? {};
const isDead = document.querySelector("live-timeline:not(:defined)");
if (!isDead && (account || stream !== "none")) start(position, stream);

/** At the first of these signs, or at a later one. */
function fetchAt(signs, get) {
  const hear = async (event) => {
    for (const sign of signs) removeEventListener(sign, hear);
    const part = await get().catch(() => setTimeout(fetchAt, 1000, signs, get));
    part.hear?.(event);
  };
  for (const sign of signs) addEventListener(sign, hear);
}
