/** Django's token as it is now: signing in in another tab gives this browser another one. */
export function csrfToken() {
  return /(?:^|;\s*)csrftoken=([^;]*)/.exec(document.cookie)?.[1] ?? "";
}
