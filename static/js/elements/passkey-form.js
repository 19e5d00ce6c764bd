/** A form whose answer is what a passkey signed.  Browsers that know none show the words inside. */
customElements.define("passkey-form", class extends HTMLElement {
  connectedCallback() {
    const known = globalThis.PublicKeyCredential?.parseRequestOptionsFromJSON;
    this.form = this.querySelector("form");
    this.form.hidden = !known;
    this.querySelector("[data-without]").hidden = Boolean(known);
    this.form.onsubmit = (event) => {
      if (this.form.credential.value) return;
      event.preventDefault();
      this.#ask().catch((error) => this.#failed(error));
    };
  }

  async #ask() {
    const options = JSON.parse(this.dataset.options);
    const credential = this.dataset.act === "create"
      ? await navigator.credentials.create({
        publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
      : await navigator.credentials.get({
        publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
    this.form.credential.value = JSON.stringify(credential);
    this.form.requestSubmit();
  }

  #failed(error) { // cancelled, or not there: the browser has said so itself,
    // but not that an address without a name has no passkeys
    this.querySelector("[data-without]").hidden = error.name !== "SecurityError";
    this.form.querySelector("[type=submit]").focus();
  }
});
