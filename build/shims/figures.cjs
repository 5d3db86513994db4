// Signs for signale's badges, which src/report/console.ts switches off.
module.exports = String;
