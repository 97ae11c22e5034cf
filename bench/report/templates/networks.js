/* How a drawing becomes what a network takes, and what the network says to it. Arithmetic only, in double precision;
   weights are the stored float32. Shapes and layers are those of impls/workload.py, the picture is made as MNIST's were. */
const fcnbench = (() => {
  "use strict";
  const FIELD = 28, DIGIT = 20, FAINTEST = 0.1, SAME = 1e-6;
  const rounded = (number) => Math.floor(number + 0.5);
  const total = (numbers) => numbers.reduce((sum, number) => sum + number, 0);

  /** Strokes [[[x, y], ...], ...] of a round pen as ink from 0 to 1, on side x side pixels, row by row. */
  function inked(strokes, side, pen) {
    const ink = new Float64Array(side * side), radius = pen / 2;
    for (const stroke of strokes) {
      for (let i = 0; i < Math.max(stroke.length - 1, 1); i++) {
        segment(ink, side, radius, stroke[i], stroke[Math.min(i + 1, stroke.length - 1)]);
      }
    }
    return ink;
  }

  /** One straight piece: ink is full within the radius and fades over the pixel at the edge. */
  function segment(ink, side, radius, [x0, y0], [x1, y1]) {
    const dx = x1 - x0, dy = y1 - y0, squared = dx * dx + dy * dy;
    const from = (a, b) => Math.max(0, Math.floor(Math.min(a, b) - radius - 1));
    const to = (a, b) => Math.min(side, Math.ceil(Math.max(a, b) + radius + 1));
    const left = from(x0, x1), right = to(x0, x1), bottom = to(y0, y1);
    for (let row = from(y0, y1); row < bottom; row++) {
      for (let column = left; column < right; column++) {
        if (ink[row * side + column] === 1) continue;
        const x = column + 0.5 - x0, y = row + 0.5 - y0;
        const along = squared ? Math.min(1, Math.max(0, (x * dx + y * dy) / squared)) : 0;
        const across = x - along * dx, down = y - along * dy;
        const level = Math.min(1, radius + 0.5 - Math.sqrt(across * across + down * down));
        if (level > ink[row * side + column]) ink[row * side + column] = level;
      }
    }
  }

  /** Grey levels as 28 x 28 bytes, bright on dark: the digit's longer side 20, its centre of mass the centre. Null
      where there is nothing to be seen. */
  function picture(grey, height, width) {
    let low = Infinity, high = -Infinity;
    for (let i = 0; i < grey.length; i++) {
      if (grey[i] < low) low = grey[i];
      if (grey[i] > high) high = grey[i];
    }
    if (!(high > low)) return null;
    const levels = new Float64Array(grey.length), last = (height - 1) * width, border = [];
    for (let i = 0; i < grey.length; i++) levels[i] = (grey[i] - low) / (high - low);
    for (let column = 0; column < width; column++) border.push(levels[column], ...(height > 1 ? [levels[last + column]] : []));
    for (let row = 1; row < height - 1; row++) border.push(levels[row * width], ...(width > 1 ? [levels[(row + 1) * width - 1]] : []));
    border.sort((a, b) => a - b);
    if (border[border.length >> 1] + border[(border.length - 1) >> 1] > 1) {
      for (let i = 0; i < levels.length; i++) levels[i] = 1 - levels[i];
    }
    let top = height, bottom = -1, left = width, right = -1;
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++) {
        if (levels[row * width + column] > FAINTEST) {
          top = Math.min(top, row); bottom = Math.max(bottom, row);
          left = Math.min(left, column); right = Math.max(right, column);
        }
      }
    }
    const tall = bottom - top + 1, wide = right - left + 1, longer = Math.max(tall, wide);
    const box = new Float64Array(tall * wide);
    for (let row = 0; row < tall; row++) {
      box.set(levels.subarray((top + row) * width + left, (top + row) * width + right + 1), row * wide);
    }
    const rows = Math.max(1, rounded(DIGIT * tall / longer)), columns = Math.max(1, rounded(DIGIT * wide / longer));
    const small = transposed(shrunk(transposed(shrunk(box, wide, rows), wide), rows, columns), rows);
    const byRow = Array.from({ length: rows }, (_, row) => total(small.subarray(row * columns, (row + 1) * columns)));
    const byColumn = Array.from({ length: columns }, (_, column) => total(byRow.map((_, row) => small[row * columns + column])));
    const down = shift(byRow), across = shift(byColumn), bytes = new Uint8Array(FIELD * FIELD);
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        bytes[(down + row) * FIELD + across + column] = rounded(255 * Math.min(1, Math.max(0, small[row * columns + column])));
      }
    }
    return bytes;
  }

  /** How far to move so that the centre of mass lies in the pixel behind the middle, at 14 or beyond and before 15, as
      it does in every image of MNIST; as far as there is room. Sums may differ in their last digits. */
  function shift(masses) {
    const centre = total(masses.map((mass, i) => mass * (i + 0.5))) / total(masses);
    return Math.min(Math.max(Math.ceil(FIELD / 2 - centre - SAME), 0), FIELD - masses.length);
  }

  /** Rows of so many columns averaged into `after` rows by area, parts of pixels counted as parts. */
  function shrunk(levels, columns, after) {
    const before = levels.length / columns, step = before / after, made = new Float64Array(after * columns);
    for (let row = 0; row < after; row++) {
      for (let old = Math.max(0, Math.floor(row * step) - 1); old < Math.min(before, Math.ceil((row + 1) * step) + 1); old++) {
        const covered = Math.min((row + 1) * step, old + 1) - Math.max(row * step, old);
        if (covered <= 0) continue;
        for (let column = 0; column < columns; column++) {
          made[row * columns + column] += covered * (after / before) * levels[old * columns + column];
        }
      }
    }
    return made;
  }

  function transposed(levels, columns) {
    const rows = levels.length / columns, made = new Float64Array(levels.length);
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) made[column * rows + row] = levels[row * columns + column];
    }
    return made;
  }

  const ACTIVATIONS = {
    linear: (z) => z, relu: (z) => Math.max(z, 0), sigmoid: (z) => 1 / (1 + Math.exp(-z)), tanh: Math.tanh,
  };

  function dense(x, layer, kernel, bias) {
    const out = Float64Array.from(bias), units = out.length;
    for (let i = 0; i < x.values.length; i++) {
      const value = x.values[i];
      if (value) for (let unit = 0; unit < units; unit++) out[unit] += value * kernel[i * units + unit];
    }
    return { values: out, shape: [1, 1, units] };
  }

  function conv(x, layer, kernel, bias) {
    const [height, width, channels] = x.shape, { size, padding, filters } = layer;
    const tall = height + 2 * padding - size + 1, wide = width + 2 * padding - size + 1;
    const out = new Float64Array(tall * wide * filters);
    for (let row = 0; row < tall; row++) {
      for (let column = 0; column < wide; column++) {
        const sums = out.subarray((row * wide + column) * filters, (row * wide + column + 1) * filters);
        sums.set(bias);
        for (let a = 0; a < size; a++) {
          for (let b = 0; b < size; b++) {
            const down = row + a - padding, across = column + b - padding;
            if (down < 0 || down >= height || across < 0 || across >= width) continue;
            for (let channel = 0; channel < channels; channel++) {
              const value = x.values[(down * width + across) * channels + channel];
              const place = ((a * size + b) * channels + channel) * filters;
              if (value) for (let filter = 0; filter < filters; filter++) sums[filter] += value * kernel[place + filter];
            }
          }
        }
      }
    }
    return { values: out, shape: [tall, wide, filters] };
  }

  function pool(x, { size }) {
    const [height, width, channels] = x.shape, tall = Math.floor(height / size), wide = Math.floor(width / size);
    const out = new Float64Array(tall * wide * channels).fill(-Infinity);
    for (let row = 0; row < tall * size; row++) {
      for (let column = 0; column < wide * size; column++) {
        for (let channel = 0; channel < channels; channel++) {
          const place = (Math.floor(row / size) * wide + Math.floor(column / size)) * channels + channel;
          out[place] = Math.max(out[place], x.values[(row * width + column) * channels + channel]);
        }
      }
    }
    return { values: out, shape: [tall, wide, channels] };
  }

  /** A network of bench/report/chapters/digits/board.py with its weights as numbers: [[kernel, bias], ...]. */
  function decoded(network) {
    const all = new Float32Array(Uint8Array.from(atob(network.weights), (letter) => letter.charCodeAt(0)).buffer);
    let start = 0;
    const taken = (count) => all.subarray(start, start += count);
    const weights = network.kernels.map((shape) => [taken(shape.reduce((a, b) => a * b)), taken(shape[shape.length - 1])]);
    return { ...network, weights };
  }

  /** The ten probabilities that a decoded network gives for 28 x 28 bytes. */
  function probabilities(network, bytes) {
    const { fround } = Math, mean = fround(network.mean), std = fround(network.std);
    const scaled = Float64Array.from(bytes, (byte) => fround(fround(fround(byte / 255) - mean) / std));
    let x = { values: scaled, shape: [FIELD, FIELD, 1] }, next = 0;
    for (const layer of network.layers) {
      if (layer.kind === "pool") x = pool(x, layer);
      if (layer.kind === "dense" || layer.kind === "conv") {
        const [kernel, bias] = network.weights[next++];
        x = (layer.kind === "dense" ? dense : conv)(x, layer, kernel, bias);
        x.values = x.values.map(ACTIVATIONS[layer.activation]);
      } // a dropout drops nothing here
    }
    const most = Math.max(...x.values), powers = Array.from(x.values, (logit) => Math.exp(logit - most));
    return powers.map((power) => power / total(powers));
  }

  return Object.freeze({ inked, picture, decoded, probabilities });
})();
