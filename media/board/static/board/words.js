const MARKS = /\p{Mn}/gu;
const BETWEEN_WORDS = /[^\p{L}\p{N}_]+/u;
const known = new Map();

/** The text in lower case and without accents: "Müller" and "muller" are the same. */
export function fold(text) {
  return text.normalize("NFD").replace(MARKS, "").toLowerCase().replaceAll("ß", "ss");
}

/**
 * The text as words with a space before each, so that `" " + beginning` occurs in it when one of its
 * words begins so. NOT_READY is one word.
 */
export function wordsOf(text) {
  if (!text) return "";
  let words = known.get(text);
  if (words === undefined) {
    words = fold(text).split(BETWEEN_WORDS).filter(Boolean).map((word) => ` ${word}`).join("");
    known.set(text, words);
  }
  return words;
}

/**
 * What is typed into the filter, as beginnings of words. People write the states with a space:
 * "not ready" is NOT_READY, "signed out" is signed_out.
 */
export function termsOf(text, states = []) {
  let folded = fold(text);
  for (const state of states) {
    const word = fold(state);
    if (word.includes("_")) folded = folded.replaceAll(word.replaceAll("_", " "), word);
  }
  return folded.split(BETWEEN_WORDS).filter(Boolean).map((term) => ` ${term}`);
}
