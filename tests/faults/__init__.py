"""The fault suite: a set-up of its own, which is broken on purpose and must keep its promises."""
