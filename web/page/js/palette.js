// Colours: the ones that the picture is painted in. The data channel names them; over plain HTTP they are computed from
// the object's number, as the agent's overlay does: hues a golden angle apart in OKLCH (Ottosson 2020).

// candidates tell apart the masks of one object that a person chooses from.
export const candidates = ["#4cc9f0", "#ffd166", "#f78fb3", "#9bf6a5", "#c3a6ff"];

export function colorOf(object) {
  return object.color ?? objectColor(Number(object.id.split("-").pop()));
}

export function objectColor(n) {
  const hue = ((n * 137.50776405003785 + 40) % 360) * Math.PI / 180, light = [0.64, 0.82][n % 2];
  for (let chroma = 0.21; ; chroma -= 0.01) {
    const rgb = oklch(light, chroma, hue);
    if (chroma < 0.02 || rgb.every((v) => v >= -0.002 && v <= 1.002)) return "#" + rgb.map(hex).join("");
  }
}

function oklch(l, c, h) {
  const a = c * Math.cos(h), b = c * Math.sin(h);
  const [L, M, S] = [l + 0.3963377774 * a + 0.2158037573 * b, l - 0.1055613458 * a - 0.0638541728 * b, l - 0.0894841775 * a - 1.2914855480 * b].map((v) => v ** 3);
  return [
    4.0767416621 * L - 3.3077115913 * M + 0.2309699292 * S,
    -1.2684380046 * L + 2.6097574011 * M - 0.3413193965 * S,
    -0.0041960863 * L - 0.7034186147 * M + 1.7076147010 * S,
  ];
}

function hex(v) {
  v = Math.min(1, Math.max(0, v));
  v = v <= 0.0031308 ? v * 12.92 : 1.055 * v ** (1 / 2.4) - 0.055;
  return Math.floor(v * 255 + 0.5).toString(16).padStart(2, "0");
}
