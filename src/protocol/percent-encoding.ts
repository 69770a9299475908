/** Percent-encoding that takes any text: half of a surrogate pair, on which `encodeURIComponent` throws, too. */

/** Half of a surrogate pair without its other half: no character, and no UTF-8. */
const LONE_SURROGATE = /\p{Surrogate}/u;
const LONE_SURROGATES = /\p{Surrogate}/gu;
const REPLACEMENT_CHARACTER = '\ufffd';

/** Whether every character of `text` is whole, so that it survives a URL. */
export function isWellFormed(text: string): boolean {
  return !LONE_SURROGATE.test(text);
}

/** `text` with U+FFFD in place of every half of a surrogate pair. */
export function wellFormed(text: string): string {
  return text.replace(LONE_SURROGATES, REPLACEMENT_CHARACTER);
}

/** `encodeURIComponent` of {@link wellFormed} text: never throws. */
export function percentEncode(text: string): string {
  return encodeURIComponent(wellFormed(text));
}
