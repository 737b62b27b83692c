"""The dock: parcels, carriers, tracking, and the papers that go along."""
