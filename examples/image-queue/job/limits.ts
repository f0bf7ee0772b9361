/** Longest side of a picture that the model is given, in pixels: a larger one would take a CPU minutes. */
export const longestSide = 256;
