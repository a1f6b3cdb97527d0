# loses: prediction
# It hopes for chats, where LRU is hard to beat.
PREDICTION = "multi-turn-chat"
