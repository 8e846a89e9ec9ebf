// The way to the API: requests with the token (token.js), and the stream of events.

function head(more) {
  return { Authorization: `Bearer ${globalThis.tokenTaken() ?? ""}`, ...more };
}

/** What a request came to: `{ ok, status, body }`, or `{ ok: false, status: 0 }` when nobody answers. */
export async function ask(method, path, body) {
  try {
    const answer = await fetch(path, {
      method,
      headers: head(body === undefined ? {} : { "Content-Type": "application/json" }),
      body: body === undefined ? undefined : JSON.stringify(body),
      cache: "no-store",
    });
    const text = await answer.text();
    let read = text;
    try { read = JSON.parse(text); } catch { /* it is text */ }
    return { ok: answer.ok, status: answer.status, body: read };
  } catch {
    return { ok: false, status: 0, body: { error: "nobody answers" } };
  }
}

export const get = (path) => ask("GET", path);
export const post = (path, body) => ask("POST", path, body);

/** What a request is answered with, `{ octets }`; or `{ error }` with the sentence of a refusal. */
export async function fetchBlob(path) {
  try {
    const answer = await fetch(path, { headers: head(), cache: "no-store" });
    if (answer.ok) return { octets: await answer.arrayBuffer() };
    const said = await answer.json().catch(() => ({}));
    return { error: said.error ?? `it was answered ${answer.status}` };
  } catch {
    return { error: "nobody answers" };
  }
}

/** Saves what a request is answered with as a file; the sentence of a refusal otherwise. */
export async function save(path, name) {
  const { octets, error } = await fetchBlob(path);
  if (error) return error;
  const url = URL.createObjectURL(new Blob([octets]));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
  return null;
}

/** The sentence of an answer that refused. */
export function sentence(answer) {
  return answer.body?.error ?? `it was answered ${answer.status}`;
}

/**
 * Follows the events until they end: calls `on(name, data)` for each, and says how they ended: `"end"`, `"refused"` with a
 * sentence, or `"broken"`.
 */
export async function follow(after, on) {
  let answer;
  try {
    answer = await fetch(`/v1/events?after=${after}`, { headers: head(), cache: "no-store" });
  } catch {
    return { how: "broken" };
  }
  if (!answer.ok) {
    const said = await answer.json().catch(() => ({}));
    return { how: "refused", status: answer.status, text: said.error ?? `${answer.status}` };
  }
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let waiting = "";
  let ended = false;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      waiting += value;
      const events = waiting.split("\n\n");
      waiting = events.pop();
      for (const event of events) {
        const lines = event.split("\n");
        const field = (name) => lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
        const [name, data] = [field("event"), field("data")];
        if (!name || !data) continue;
        if (name === "end") ended = true;
        on(name, JSON.parse(data));
      }
    }
  } catch { /* it broke */ }
  return { how: ended ? "end" : "broken" };
}

/** Opens a file of a run in a window of its own. */
export async function openFile(run, file) {
  const answer = await post("/v1/tickets", { run, file });
  if (!answer.ok) return sentence(answer);
  window.open(answer.body.url, "_blank", "noopener");
  return null;
}
