// The token of the link. No module: it runs before anything of the page is there to be clicked, as a click would take the
// token's place in the address.

const TOKEN_PLACE = "tocsin-token";

/** The token that was taken, or null. */
function tokenTaken() {
  return sessionStorage.getItem(TOKEN_PLACE);
}

/** Takes the token out of the link, so that it stands in no history and on no screen; false when there is none. */
function takeToken() {
  const found = /^#token=([0-9a-f]+)$/.exec(location.hash);
  if (found) {
    sessionStorage.setItem(TOKEN_PLACE, found[1]);
    history.replaceState(null, "", location.pathname + "#map");
  }
  return tokenTaken() !== null;
}

takeToken();
