/**
 * Keep one subscription through lost connections, restarts and refusals.
 *
 * `show` gets every event; each (re)subscription begins with everything there is. `problem` gets
 * the error of an attempt that was refused. Returns what ends it.
 * @type {KeepSubscribed}
 */
export const keepSubscribed = (connection, message, show, problem) => {
  let turn = 0;
  let wait = 1000;
  /** @type {Unsubscribe | undefined} */
  let stop;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const forget = () => {
    turn += 1;
    stop = undefined;
    clearTimeout(timer);
  };
  const start = () => {
    forget();
    const mine = turn;
    /** @template Value @param {(value: Value) => void} then @returns {(value: Value) => void} */
    const current = (then) => (value) => mine === turn && then(value);
    connection.subscribeMessage(current(show), message, { resubscribe: false }).then(
      (unsubscribe) => {
        if (mine !== turn) return unsubscribe().catch(() => {});
        stop = unsubscribe;
        wait = 1000;
      },
      current((error) => {
        problem(error);
        timer = setTimeout(start, wait);
        wait = Math.min(2 * wait, 30_000);
      }),
    );
  };
  connection.addEventListener("ready", start);
  connection.addEventListener("disconnected", forget);
  if (connection.connected) start();
  return () => {
    connection.removeEventListener("ready", start);
    connection.removeEventListener("disconnected", forget);
    stop?.().catch(() => {});
    forget();
  };
};
