// The two ways to the API's subscriptions. Each gives `iterate(payload)`, `lost(error)` (what the server said when it
// let nobody in, undefined when only the line broke), `abandon()`, and `pause()` and `read()` where the socket is ours.
import { createClient as createEventsClient } from 'graphql-sse';
import { createClient as createSocketClient } from 'graphql-ws';
import WebSocket from 'ws';

/** `graphql-transport-ws`; reconnecting is left to the caller, who knows the last cursor. */
export function overWebsocket({ url, token, compress = true }, say) {
  let socket;
  class Socket extends WebSocket {
    constructor(address, protocols) {
      super(address, protocols, { perMessageDeflate: compress });
      socket = this;
    }
  }
  const client = createSocketClient({
    url,
    connectionParams: { Authorization: `Bearer ${token}` },
    webSocketImpl: Socket,
    retryAttempts: 0,
    on: {
      connected: () => say({ is: 'connected' }),
      closed: ({ code, reason }) => say({ is: 'closed', code, reason }),
    },
  });
  return {
    iterate: (payload) => client.iterate(payload),
    lost: () => undefined,
    abandon: () => client.terminate(),
    pause: () => socket.pause(),
    read: () => socket.resume(),
  };
}

/** `graphql-sse`, a connection of its own for each subscription. */
export function overEvents({ url, token }, say) {
  let leaving = new AbortController();
  const client = createEventsClient({
    url,
    headers: { Authorization: `Bearer ${token}` },
    retryAttempts: 0,
    fetchFn: (address, options) => {
      leaving = new AbortController();
      return fetch(address, { ...options, signal: AbortSignal.any([options.signal, leaving.signal]) });
    },
  });
  return {
    iterate: (payload) => client.iterate(payload, { connected: () => say({ is: 'connected' }) }),
    lost: (error) => {
      const status = error?.response?.status;
      return status === undefined || status >= 500 ? undefined : { is: 'error', code: `HTTP_${status}`, message: error.message };
    },
    abandon: () => leaving.abort(),
  };
}
