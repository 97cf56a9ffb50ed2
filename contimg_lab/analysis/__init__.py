"""Pure functions on arrays: no SQL, no await, no pandas."""
