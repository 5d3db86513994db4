// Colours are put on by src/report/console.ts; the real one loads colour tables and looks at the environment.
const same = (text) => text;
module.exports = { green: same, grey: same, red: same, underline: same, yellow: same };
