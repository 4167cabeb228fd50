"""Credits: whole micro-credits, one small record per user, and entries that only ever get more (docs/credits.md).

    prices     what tokens cost, plans and limits          account    lots, holds and the day of one user
    entries    double entry: names, kinds, booking         reserving  the upper bound taken when a message is accepted
    endings    one rule per ending, as a table             settling   the one closing of a reservation
    granting   credits that come and go otherwise          codes      codes that people redeem
    audit      what must be true, and what is not          budget     what the whole service may cost on a day

Everything here is a pure function of its arguments. A store runs these functions inside its own transactions, so every
engine keeps the same rules.
"""
