/** Everything works without scripts; they add liveness and comfort. */
import "./elements/confirm-button.js";
import "./elements/count-badge.js";
import "./elements/follow-button.js";
import "./elements/live-state.js";
import "./elements/live-timeline.js";
import "./elements/passkey-form.js";
import "./elements/post-composer.js";
import "./elements/post-menu.js";
import "./elements/relative-time.js";
import "./elements/theme-switch.js";
import { prepare } from "./lib/frame.js";
import { start } from "./lib/live.js";
import { account } from "./lib/reader.js";
import { watchWhatIsSeen } from "./lib/seen.js";
import { listenToKeys } from "./lib/shortcuts.js";

prepare();
listenToKeys();
if (account) watchWhatIsSeen();

// Without a timeline there are still counts, but not for a visitor.
const { position = "", stream = "none" } = document.querySelector("live-timeline")?.dataset ?? {};
if (stream !== "none") start(position, { stream });
else if (account) start(position, { stream: "home", timeline: "none" });
