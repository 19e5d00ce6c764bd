/** How long a text is as people count it: grapheme clusters, each link as 23. The server decides. */
const LINK = /https?:\/\/[^\s<>"]*[^\s<>"'.,;:!?)\]}]/gi;
const LINK_LENGTH = 23;
const clusters = Intl.Segmenter && new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** @param {string} text */
export function length(text) {
  const trimmed = text.trim();
  const links = trimmed.match(LINK)?.length ?? 0;
  const rest = trimmed.replace(LINK, "");
  return links * LINK_LENGTH + (clusters ? [...clusters.segment(rest)] : [...rest]).length;
}
