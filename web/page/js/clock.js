// The agent's clock: ages are told by its times, whatever the time is here, and however long the page has been open.

let ahead = 0; // ms that the agent's clock is before this one

// heard takes the Date of an answer (RFC 9110), which has whole seconds: what it may be by their rounding is no difference.
export function heard(date) {
  const there = Date.parse(date) + 500 - Date.now();
  if (Math.abs(there - ahead) > 1000) ahead = there;
}

// now is the agent's time in ms.
export const now = () => Date.now() + ahead;

// since is how long ago something was in seconds; undefined where nobody knows.
export const since = (time) => time ? Math.max(0, (now() - Date.parse(time)) / 1000) : undefined;

// span says a number of seconds.
export function span(seconds) {
  const s = Math.round(seconds);
  return s < 60 ? `${s} s` : s < 3600 ? `${Math.floor(s / 60)} min` : s < 86400 ? `${Math.floor(s / 3600)} h ${Math.floor(s / 60) % 60} min` : `${Math.floor(s / 86400)} d`;
}
