// The token of the link. No module: it runs before anything of the page is there to be clicked, as a click would take the
// token's place in the address.

/** Takes the token out of the link, so that it stands in no history and on no screen; false when there is none. */
function takeToken() {
  const found = /^#token=([0-9a-f]+)$/.exec(location.hash);
  if (found) {
    sessionStorage.setItem("tocsin-token", found[1]);
    history.replaceState(null, "", location.pathname + "#map");
  }
  return sessionStorage.getItem("tocsin-token") !== null;
}

takeToken();
