/** Everything works without scripts; they add liveness and comfort. */
import "./elements/confirm-button.js";
import "./elements/count-badge.js";
import "./elements/post-composer.js";
import "./elements/post-menu.js";
import "./elements/relative-time.js";
import "./elements/theme-switch.js";
import { prepare } from "./lib/frame.js";
import { start } from "./lib/live.js";
import { account } from "./lib/reader.js";
import { watchWhatIsSeen } from "./lib/seen.js";

prepare();
if (account) watchWhatIsSeen();

// What not every page has is fetched by those alone, and before the first message can come.
const load = ({ localName }) => import(`./elements/${localName}.js`);
await Promise.allSettled([...document.querySelectorAll(":not(:defined)")].map(load));
const keys = async (event) => (await import("./lib/shortcuts.js")).hear(event);
addEventListener("keydown", keys, { once: true });
const signs = matchMedia("(any-hover: hover)").matches ? ["pointerover", "focusin"] : [];
for (const sign of signs) addEventListener(sign, () => load({ localName: "hover-card" }), { once: true });

// Without a timeline there are still counts, but not for a visitor.
const { position = "", stream = "none" } = document.querySelector("[data-position]")?.dataset ?? {};
const isDead = document.querySelector("live-timeline:not(:defined)");
if (!isDead && (account || stream !== "none")) start(position, { stream });
