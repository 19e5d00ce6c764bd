/** What of a picture is shown: moved and enlarged here, cut out by the server. */
const MOST = 6;
const STEP = 0.02;

customElements.define("picture-crop", class extends HTMLElement {
  #fingers = new Map();

  connectedCallback() {
    const part = (selector) => this.querySelector(selector);
    this.stage = part("canvas");
    this.zoom = part("[type=range]");
    this.told = part("[name=crop]");
    this.file = this.closest("form").querySelector("[type=file]");
    this.file.onchange = () => this.#take(this.file.files[0]);
    this.zoom.oninput = () => this.#enlarge(Number(this.zoom.value));
    this.stage.onkeydown = (event) => this.#key(event);
    this.stage.onwheel = (event) => {
      event.preventDefault();
      this.#enlarge(this.scale * 1.002 ** -event.deltaY);
    };
    this.stage.onpointerdown = ({ pointerId }) => this.stage.setPointerCapture(pointerId);
    this.stage.onpointermove = (event) => event.buttons && this.#drag(event);
    this.stage.onlostpointercapture = ({ pointerId }) => this.#fingers.delete(pointerId);
    if (this.file.files[0]) this.#take(this.file.files[0]); // kept through a reload
  }

  /** Upright, as its camera was held.  Without one that can be read, the server says so. */
  async #take(file) {
    this.told.value = "";
    const picture = file && (await createImageBitmap(file).catch(() => null));
    if (file !== this.file.files[0]) return picture?.close(); // another was chosen meanwhile
    this.picture?.close();
    this.picture = picture;
    this.hidden = !picture;
    this.told.value = "";
    if (!this.picture) return;
    const ratio = this.stage.width / this.stage.height;
    const its = this.picture.width / this.picture.height;
    this.most = [Math.min(1, ratio / its), Math.min(1, its / ratio)]; // of each side, unenlarged
    this.middle = [0.5, 0.5];
    this.#enlarge(1);
  }

  #enlarge(scale) {
    this.scale = this.zoom.value = Math.min(MOST, Math.max(1, scale));
    this.#show();
  }

  /** By parts of what is seen. */
  #move(...by) {
    this.middle = this.middle.map((at, side) => at + (by[side] * this.most[side]) / this.scale);
    this.#show();
  }

  #key(event) {
    const moves = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] };
    const scales = { "+": 1.1, "=": 1.1, "-": 1 / 1.1 };
    if (!moves[event.key] && !scales[event.key]) return;
    event.preventDefault();
    if (moves[event.key]) this.#move(...moves[event.key]);
    else this.#enlarge(this.scale * scales[event.key]);
  }

  /** One finger moves, two enlarge. */
  #drag({ pointerId, clientX, clientY }) {
    const [one, before] = [[clientX, clientY], this.#fingers.get(pointerId)];
    const other = [...this.#fingers].find(([id]) => id !== pointerId)?.[1];
    const { width, height } = this.stage.getBoundingClientRect();
    this.#fingers.set(pointerId, one);
    if (!before) return;
    const apart = (point) => Math.hypot(point[0] - other[0], point[1] - other[1]);
    if (other) this.#enlarge((this.scale * apart(one)) / apart(before));
    else this.#move((before[0] - clientX) / width, (before[1] - clientY) / height);
  }

  #show() {
    const sides = this.most.map((most) => most / this.scale);
    this.middle = this.middle.map((at, side) =>
      Math.min(1 - sides[side] / 2, Math.max(sides[side] / 2, at)));
    const corner = this.middle.map((at, side) => at - sides[side] / 2);
    const { width, height } = this.picture;
    const [x, y, across, down] = [...corner, ...sides];
    this.told.value = [x, y, across, down].map((part) => part.toFixed(4)).join(" ");
    const paper = this.stage.getContext("2d");
    const all = [0, 0, this.stage.width, this.stage.height];
    paper.clearRect(...all);
    paper.drawImage(this.picture, x * width, y * height, across * width, down * height, ...all);
  }
});
