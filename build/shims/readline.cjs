// Only signale's interactive mode moves the cursor, and src/report/console.ts does not use it.
module.exports = {};
