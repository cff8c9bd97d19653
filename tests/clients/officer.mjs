// A safety officer's client as a browser or a mobile app would write it, on the two libraries of the protocol's makers.
//
//   node officer.mjs '{"transport": "ws" | "sse", "url", "token", "query", "variables", "resume", "compress"}'
//
// Every line on stdout is one JSON object: `connected`, `event`, `error`, `closed` or `complete` says which.
// Lines on stdin: `pause` stops reading from the socket, `read` goes on; their end ends the client. With `resume` it
// subscribes again by itself, behind the last cursor that it holds; an error that would come again ends it.
import readline from 'node:readline';
import { overEvents, overWebsocket } from './transports.mjs';

const PAUSE_MS = 200;
// The server sends a heartbeat every 20 s: a line without one is dead, whatever the socket says.
const SILENCE_MS = 60_000;
const PASSING = new Set(['UNAVAILABLE', 'INTERNAL', 'SLOW_CLIENT', undefined]);

const asked = JSON.parse(process.argv[2]);
const say = (line) => process.stdout.write(JSON.stringify(line) + '\n');
const transport = (asked.transport === 'sse' ? overEvents : overWebsocket)(asked, say);
let cursor = asked.variables?.after;
let heardAt = Date.now();

/** The first GraphQL error in whatever a library throws or delivers; undefined when only the connection was lost. */
function refusal(thrown) {
  const first = Array.isArray(thrown) ? thrown[0] : thrown?.errors?.[0];
  return first && { is: 'error', code: first.extensions?.code, message: first.message };
}

/** One subscription until it ends; whether it may be taken up again. */
async function follow() {
  try {
    for await (const result of transport.iterate({ query: asked.query, variables: { ...asked.variables, after: cursor } })) {
      heardAt = Date.now();
      const refused = refusal(result.errors);
      if (refused) {
        say(refused);
        return PASSING.has(refused.code);
      }
      const [event] = Object.values(result.data);
      cursor = event.cursor ?? cursor;
      say({ is: 'event', event });
    }
    say({ is: 'complete' });
    return true;
  } catch (thrown) {
    const refused = refusal(thrown) ?? transport.lost(thrown);
    if (refused) say(refused);
    return !refused || PASSING.has(refused.code);
  }
}

readline
  .createInterface({ input: process.stdin })
  .on('line', (line) => ({ pause: transport.pause, read: transport.read })[line.trim()]?.())
  .on('close', () => process.exit(0));
setInterval(() => Date.now() - heardAt > SILENCE_MS && transport.abandon(), 1000).unref();

while ((await follow()) && asked.resume) {
  await new Promise((done) => setTimeout(done, PAUSE_MS));
  heardAt = Date.now();
}
process.stdout.write('', () => process.exit(0));
