// A subscription that goes on through lost connections and refusals.
import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { keepSubscribed } from "../../custom_components/ha_ingestor/frontend/live.js";

const settled = () => new Promise((resolve) => setImmediate(resolve));

/** A connection whose attempts are answered by the test. */
const newConnection = () => {
  /** @type {Record<string, (() => void)[]>} */
  const listeners = { ready: [], disconnected: [] };
  /** @type {{ show: (event: any) => void, accept: () => void, refuse: (error: object) => void, isEnded: boolean }[]} */
  const attempts = [];
  return {
    attempts,
    connected: true,
    subscribeMessage: (/** @type {(event: any) => void} */ show) =>
      new Promise((resolve, reject) => {
        const attempt = {
          show,
          isEnded: false,
          accept: () =>
            resolve(async () => {
              attempt.isEnded = true;
            }),
          refuse: reject,
        };
        attempts.push(attempt);
      }),
    addEventListener: (/** @type {string} */ name, /** @type {() => void} */ listener) => listeners[name].push(listener),
    removeEventListener: (/** @type {string} */ name, /** @type {() => void} */ listener) => {
      listeners[name] = listeners[name].filter((each) => each !== listener);
    },
    tell: (/** @type {string} */ name) => listeners[name].forEach((each) => each()),
  };
};

const begin = () => {
  const connection = newConnection();
  /** @type {unknown[]} */
  const shown = [];
  /** @type {unknown[]} */
  const problems = [];
  const end = keepSubscribed(
    /** @type {any} */ (connection),
    { type: "some" },
    (event) => shown.push(event),
    (error) => problems.push(error),
  );
  return { connection, shown, problems, end };
};

test("a connection that comes back is subscribed anew, and what the old one still says is not shown", async () => {
  const { connection, shown, end } = begin();
  connection.attempts[0].accept();
  await settled();
  connection.attempts[0].show(1);
  connection.tell("disconnected");
  connection.attempts[0].show(2);
  connection.tell("ready");
  connection.attempts[1].accept();
  await settled();
  connection.attempts[1].show(3);
  assert.deepEqual(shown, [1, 3]);
  end();
  // The id of the old one may be somebody else's by now.
  assert.deepEqual(connection.attempts.map((each) => each.isEnded), [false, true]);
});

test("a page that is left while the connection is lost ends nothing that is somebody else's by now", async () => {
  const { connection, end } = begin();
  connection.attempts[0].accept();
  await settled();
  connection.tell("disconnected");
  end();
  assert.equal(connection.attempts[0].isEnded, false);
});

test("what is refused is told, and tried again after a time that doubles", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    const { connection, problems, end } = begin();
    for (const wait of [1000, 2000, 4000]) {
      connection.attempts.at(-1)?.refuse({ message: "no" });
      await settled();
      const before = connection.attempts.length;
      mock.timers.tick(wait - 1);
      assert.equal(connection.attempts.length, before);
      mock.timers.tick(1);
      assert.equal(connection.attempts.length, before + 1);
    }
    assert.equal(problems.length, 3);
    end();
  } finally {
    mock.timers.reset();
  }
});

test("a page that is left before the answer ends what it had asked for, and tries no more", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    const accepted = begin();
    accepted.end();
    accepted.connection.attempts[0].accept();
    await settled();
    assert.equal(accepted.connection.attempts[0].isEnded, true);
    const refused = begin();
    refused.connection.attempts[0].refuse({ message: "no" });
    await settled();
    refused.end();
    refused.connection.tell("ready");
    mock.timers.tick(60_000);
    assert.equal(refused.connection.attempts.length, 1);
  } finally {
    mock.timers.reset();
  }
});
