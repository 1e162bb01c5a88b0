// The page works without this. It takes the pairing code out of the address, where a QR code has put it, and sends it.
"use strict";
function pair() {
  const code = document.getElementById("f-code");
  const given = location.hash.slice(1);
  if (code && /^[\w-]{20,64}$/.test(given)) {
    history.replaceState(null, "", location.pathname);
    code.value = given;
    code.form.requestSubmit();
  }
}
addEventListener("hashchange", pair);
pair();
// What has been done is told once, not again when the page is loaded anew.
if (location.search.startsWith("?done=")) {
  history.replaceState(null, "", location.pathname);
}
