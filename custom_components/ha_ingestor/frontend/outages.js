/** The times in which points were not accepted. */

const WELL = new Set(["ok", "starting"]);

/**
 * Join changes of the status to outages, the newest first. `seconds` is null for one that goes on;
 * the problem is the first one that was told.
 * @param {readonly StatusChange[]} history
 */
export const outages = (history) => {
  /** @type {Outage[]} */
  const found = [];
  /** @type {Outage | undefined} */
  let open;
  for (const change of history) {
    if (WELL.has(change.status)) {
      if (open) open.seconds = (Date.parse(change.time) - Date.parse(open.since)) / 1000;
      open = undefined;
    } else if (open) {
      if (open.problem === "none") Object.assign(open, { problem: change.problem, detail: change.detail });
    } else {
      const { time, status, problem, detail } = change;
      open = { since: time, status, problem, detail, seconds: null };
      found.push(open);
    }
  }
  return found.reverse();
};
