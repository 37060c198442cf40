// Calls a URL at an interval, one call after another, and prints each call as a line of JSON.
// calls.js fetch|http URL EVERY COUNT
const http = require("node:http");

const [, , library, url, every, count] = process.argv;
const now = () => Number(process.hrtime.bigint()) / 1e9; // the machine's monotonic clock
const sleep = (seconds) => new Promise((resolve) => setTimeout(resolve, Math.max(0, seconds * 1000)));

const WARM_UP = "http://127.0.0.2:8080/"; // so that the first call of the name does not include Node's own start

const calls = {
  fetch: async (url) => {
    await (await fetch(url)).text();
  },
  http: (url) =>
    new Promise((resolve, reject) => {
      http
        .get(url, (answer) => {
          answer.resume();
          answer.on("end", resolve);
          answer.on("error", reject);
        })
        .on("error", reject);
    }),
};

(async () => {
  await calls[library](WARM_UP);
  const began = now();
  for (let number = 0; number < Number(count); number++) {
    await sleep(began + number * Number(every) - now());
    const at = now();
    let problem = "";
    try {
      await calls[library](url);
    } catch (error) {
      problem = String(error.cause ?? error);
    }
    console.log(JSON.stringify({ at, ended: now(), problem }));
  }
  process.exit(0);
})();
